import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { quietRequestQueues } from '../../adapters/kafka/quiet-request-queue.ts';
import type { Engine, Program } from './engine.ts';
import { installOnce, isInstalled, programCache } from './program-cache.ts';
import { runCommand } from './run-command.ts';

const VERSION = '4.2.1';
const FOLDER = `kafka-${VERSION}`;
const JAVA = {
  hint: 'install a JDK of version 17 or newer (Debian: apt-get install openjdk-17-jdk-headless)',
};

export const KAFKA: Program = {
  name: `Kafka ${VERSION}`,
  isInstalled: () => isInstalled(FOLDER),
  async install() {
    await installOnce(FOLDER, async (folder) => {
      writeFileSync(join(folder, 'pom.xml'), POM);
      const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'lib')}`];
      await runCommand('mvn', ['-q', '-B', '-f', join(folder, 'pom.xml'), ...copy], {
        hint: 'install Maven and a JDK (Debian: apt-get install maven openjdk-17-jdk-headless)',
      });
    });
  },
};

/** @returns the folder of Kafka's jars, undefined while they are not installed. */
export function kafkaJars(): string | undefined {
  return isInstalled(FOLDER) ? join(programCache(), FOLDER, 'lib') : undefined;
}

/** One Kafka node that is its own controller (KRaft). */
export function kafkaEngine(name: string, port: number, controllerPort: number): Engine {
  return {
    name,
    kind: 'kafka',
    program: KAFKA,
    port,
    otherPorts: [controllerPort],
    async prepare(folder) {
      const jars = kafkaJars();
      if (jars === undefined) throw new Error('Kafka is not installed');
      const properties = join(folder, 'server.properties');
      const logs = join(folder, 'data');
      mkdirSync(logs, { recursive: true });
      writeFileSync(properties, serverProperties(port, controllerPort, logs));
      const path = join(jars, '*');
      if (!existsSync(join(logs, 'meta.properties'))) {
        const storage = ['-Xmx128m', '-cp', path, 'kafka.tools.StorageTool'];
        const id =
          (await runCommand('java', [...storage, 'random-uuid'], JAVA)).trim().split('\n').at(-1) ?? '';
        await runCommand('java', [...storage, 'format', '--standalone', '-t', id, '-c', properties], JAVA);
      }
      const memory = ['-Xmx512m', '-Xms256m', '-XX:+UseSerialGC'];
      return { command: 'java', args: [...memory, '-cp', path, 'kafka.Kafka', properties], version: VERSION };
    },
    async answers() {
      quietRequestQueues();
      const kafka = new Kafka({
        clientId: 'parley-services',
        brokers: [`127.0.0.1:${port}`],
        connectionTimeout: 1_000,
        requestTimeout: 2_000,
        retry: { retries: 0 },
        logLevel: logLevel.NOTHING,
      });
      const admin = kafka.admin();
      try {
        await admin.connect();
        return (await admin.describeCluster()).brokers.length > 0;
      } catch {
        return false;
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },
  };
}

/** One node has one copy of everything; topics are made by `parley migrate`, never by a typing error. */
function serverProperties(port: number, controllerPort: number, logs: string): string {
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`;
  return `${[
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    `listeners=${listeners}`,
    `advertised.listeners=${listeners}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `log.dirs=${logs}`,
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=8',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'auto.create.topics.enable=false',
    'group.initial.rebalance.delay.ms=0',
  ].join('\n')}\n`;
}

/** Kafka needs no distribution of its own: its jars and a logger are enough. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>parley</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

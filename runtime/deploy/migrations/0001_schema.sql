-- The message store of one shard: a chat, its messages, members, receipts and outbox rows lie in one database.
--
-- Ids are the decimal part of the ids on the wire (u_3 is 3). Times named *_at are microseconds since the Unix epoch, as
-- the machines count them. There are no foreign keys: an append would lock its chat's row a second time for each message,
-- and every reference is written in the transaction of what it refers to.

CREATE TABLE chats (
  chat_id         bigint PRIMARY KEY,
  kind            text   NOT NULL CHECK (kind IN ('direct', 'group')),
  -- Highest seq in use. Together with version it is what a write compares before it writes.
  head            bigint NOT NULL DEFAULT 0 CHECK (head >= 0),
  version         bigint NOT NULL DEFAULT 0,
  -- Members whose membership has not ended.
  current_members integer NOT NULL DEFAULT 0,
  -- The head when the chat last grew beyond the size from which inactive members are told nothing.
  grew_at         bigint NOT NULL DEFAULT 0,
  direct_low      bigint,
  direct_high     bigint,
  CHECK ((kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL))
) WITH (fillfactor = 70); -- room on the page, so that moving the head touches no index (HOT)

-- A direct chat of the same two users exists once.
CREATE UNIQUE INDEX chats_direct ON chats (direct_low, direct_high) WHERE direct_low IS NOT NULL;

CREATE TABLE members (
  chat_id    bigint   NOT NULL,
  user_id    bigint   NOT NULL,
  role       text     NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  -- Stretches of membership, in pairs: span_after[i] < seq <= span_up_to[i]. An open end is 2^53 - 1.
  span_after bigint[] NOT NULL,
  span_up_to bigint[] NOT NULL,
  PRIMARY KEY (chat_id, user_id),
  CHECK (cardinality(span_after) = cardinality(span_up_to))
);
CREATE INDEX members_of_user ON members (user_id, chat_id);
-- The fan-out pages through members in the text order of their ids.
CREATE INDEX members_in_text_order ON members (chat_id, ((user_id::text) COLLATE "C"));

CREATE TABLE messages (
  chat_id       bigint NOT NULL,
  seq           bigint NOT NULL CHECK (seq > 0),
  server_msg_id bigint NOT NULL,
  client_msg_id uuid   NOT NULL,
  from_user     bigint NOT NULL,
  from_device   bigint NOT NULL,
  sent_at       bigint NOT NULL,
  media_ids     bigint[],
  -- The first half of the SHA-256 of what it says, which outlives the body: a send that comes again is compared with it. 128
  -- bits, since whoever wants two contents of one digest wants them for a key of his own.
  digest        bytea  NOT NULL CHECK (octet_length(digest) = 16),
  PRIMARY KEY (chat_id, seq)
);
-- A send is idempotent for ever: retention takes a message's body, never its row.
CREATE UNIQUE INDEX messages_by_send ON messages (from_user, client_msg_id);
CREATE UNIQUE INDEX messages_by_id ON messages (server_msg_id);

-- What a message says lies apart from the message, in partitions by day or more (0006): old ones are dropped in an instant,
-- without a trace in the indexes. The row of the message stays for ever: its seq, its ids, its send key.
CREATE TABLE bodies (
  -- Of the message's sent_at, in days since the Unix epoch.
  day           integer NOT NULL,
  server_msg_id bigint  NOT NULL,
  ciphertext    bytea   NOT NULL,
  -- By the id, not by chat and seq: ids of one process ascend, so the index grows at its end.
  PRIMARY KEY (server_msg_id, day)
) PARTITION BY RANGE (day);
-- Encrypted bytes do not compress.
ALTER TABLE bodies ALTER COLUMN ciphertext SET STORAGE EXTERNAL;
-- For days that nobody has made a partition for: an append never fails for want of one.
CREATE TABLE bodies_other PARTITION OF bodies DEFAULT;

CREATE FUNCTION body_day(at bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT (at / 86400000000)::integer';

-- Objects that messages name. They lie in object storage; here is what each must be, on the shard of its id's slot.
CREATE TABLE media (
  media_id     bigint PRIMARY KEY,
  owner        bigint NOT NULL,
  size         bigint NOT NULL CHECK (size >= 0),
  content_type text   NOT NULL,
  sha256       bytea  NOT NULL CHECK (octet_length(sha256) = 32),
  created_at   bigint NOT NULL
);
CREATE INDEX media_of_owner ON media (owner, created_at);

-- Which messages of this shard's chats name an object: who may see one of them may download it.
CREATE TABLE media_uses (
  media_id bigint NOT NULL,
  chat_id  bigint NOT NULL,
  seq      bigint NOT NULL,
  PRIMARY KEY (media_id, chat_id, seq)
);

CREATE TABLE devices (
  user_id   bigint NOT NULL,
  device_id bigint NOT NULL,
  -- Fencing token of the device's latest connection; never goes back. On every shard but the home of the user 0: the device
  -- was listed there, and has cursors there.
  epoch     bigint NOT NULL,
  -- Whether some session of the device has seen the list of every shard: until then it has no cursor on those it missed.
  confirmed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (user_id, device_id)
) WITH (fillfactor = 70);

-- How far a device has everything it may see. A missing row is 0.
CREATE TABLE cursors (
  user_id   bigint NOT NULL,
  device_id bigint NOT NULL,
  chat_id   bigint NOT NULL,
  seq       bigint NOT NULL,
  PRIMARY KEY (user_id, device_id, chat_id)
) WITH (fillfactor = 70);

-- How far a user's messages are delivered and read; each only moves forward.
CREATE TABLE watermarks (
  chat_id       bigint NOT NULL,
  user_id       bigint NOT NULL,
  delivered_seq bigint NOT NULL DEFAULT 0,
  delivered_id  bigint,
  delivered_at  bigint,
  read_seq      bigint NOT NULL DEFAULT 0,
  read_id       bigint,
  read_at       bigint,
  PRIMARY KEY (chat_id, user_id)
) WITH (fillfactor = 70);

-- Every move of a watermark, for ever: the first row at or above a seq says when that message was first delivered or read.
CREATE TABLE receipts (
  chat_id bigint   NOT NULL,
  user_id bigint   NOT NULL,
  type    smallint NOT NULL CHECK (type IN (1, 2)), -- 1 DELIVERED, 2 READ
  seq     bigint   NOT NULL,
  at      bigint   NOT NULL,
  PRIMARY KEY (chat_id, user_id, type, seq)
);

-- What is committed and not yet in the delivery queue. A set to empty, not a log: ids become visible in commit order,
-- which is not their own order. A message's row names it; its content is read from messages and bodies.
CREATE TABLE outbox (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chat_id       bigint   NOT NULL,
  seq           bigint   NOT NULL,
  server_msg_id bigint   NOT NULL,
  -- NULL: too many to list, the fan-out pages through the members as of the seq.
  recipients    bigint[],
  -- NULL for a message; 1, 2: a receipt, whose receipt it is; 3: the chat's newest messages are to be counted (seq and
  -- server_msg_id are 0), in chats too large to tell of each receipt.
  receipt_type  smallint CHECK (receipt_type IN (1, 2, 3)),
  user_id       bigint,
  at            bigint
) WITH (
  -- Rows live for moments. Their remains must go before the next reader has to step over them.
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 200000,
  autovacuum_vacuum_cost_delay = 0
);

-- One number for each run of a process: makes the ids it gives out unique.
CREATE SEQUENCE instances AS bigint START 1;

-- A direct chat of the same two users exists once over all shards: the shard of the pair's slot keeps who was first. The
-- chat itself may lie on another shard, and be created there a moment later.
CREATE TABLE direct_claims (
  -- In the text order of the ids, as chats.direct_low and direct_high.
  low     bigint NOT NULL,
  high    bigint NOT NULL,
  chat_id bigint NOT NULL,
  PRIMARY KEY (low, high)
);

-- What is set once and must not change.
CREATE TABLE settings (
  name  text   PRIMARY KEY,
  value bigint NOT NULL
);

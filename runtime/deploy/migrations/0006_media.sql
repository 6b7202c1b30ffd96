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

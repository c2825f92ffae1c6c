-- What root tells all users, and who has put away which of it. Days are texts of ISO 8601, which are in their order.

CREATE TABLE announcements (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  starts_on text NOT NULL CHECK (starts_on ~ '^\d{4}-\d{2}-\d{2}$'),
  -- Empty: until it is disabled.
  ends_on text NOT NULL DEFAULT '' CHECK (ends_on = '' OR ends_on ~ '^\d{4}-\d{2}-\d{2}$' AND ends_on >= starts_on),
  title_en text NOT NULL DEFAULT '' CHECK (char_length(title_en) <= 120),
  text_en text NOT NULL DEFAULT '' CHECK (char_length(text_en) <= 2000),
  title_zh text NOT NULL DEFAULT '' CHECK (char_length(title_zh) <= 120),
  text_zh text NOT NULL DEFAULT '' CHECK (char_length(text_zh) <= 2000),
  disabled_at timestamptz,
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT announcements_title CHECK (title_en <> '' OR title_zh <> '')
);
CREATE INDEX announcements_enabled ON announcements (starts_on DESC, id DESC) WHERE disabled_at IS NULL;

CREATE TRIGGER announcements_revision BEFORE UPDATE ON announcements
  FOR EACH ROW EXECUTE FUNCTION realms_count_revision_v1();

CREATE TABLE announcement_dismissals (
  user_id bigint NOT NULL REFERENCES users,
  announcement_id bigint NOT NULL REFERENCES announcements ON DELETE CASCADE,
  dismissed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (announcement_id, user_id)
);

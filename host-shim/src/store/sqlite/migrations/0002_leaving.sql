-- When the user asked to be disconnected with the mirrored events taken away first; the tokens go when that is done.
ALTER TABLE connections ADD COLUMN leaving_since INTEGER;
CREATE INDEX connections_leaving ON connections (leaving_since) WHERE leaving_since IS NOT NULL;

-- The Microsoft address last connected, to suggest it at the next sign-in.
ALTER TABLE accounts ADD COLUMN last_remote TEXT;

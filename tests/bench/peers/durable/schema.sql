CREATE TABLE account(number integer PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE transfer(id uuid PRIMARY KEY, source integer, target integer, amount bigint);
INSERT INTO account SELECT number, 1000000000000 FROM generate_series(1, 10000) AS number;
VACUUM ANALYZE;

#!/bin/sh
# PostgreSQL's image runs this once, when its volume is empty: a second database, for Prefect.
set -e
psql --username cellcensus --dbname cellcensus --set ON_ERROR_STOP=1 \
  --set password="$PREFECT_POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE prefect LOGIN PASSWORD :'password';
CREATE DATABASE prefect OWNER prefect;
SQL

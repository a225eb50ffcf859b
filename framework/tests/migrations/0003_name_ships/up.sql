alter table ships add column name text;

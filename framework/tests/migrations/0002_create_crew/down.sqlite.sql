drop table crew;

create table ships (id integer primary key);

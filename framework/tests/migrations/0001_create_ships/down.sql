drop table ships;

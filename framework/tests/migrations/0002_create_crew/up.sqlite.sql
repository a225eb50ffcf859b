create table crew (ship integer references ships (id));

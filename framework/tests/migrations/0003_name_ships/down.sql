alter table ships drop column name;

this is for another backend;

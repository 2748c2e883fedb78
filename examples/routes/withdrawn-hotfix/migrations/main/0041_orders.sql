-- stopover: expand
CREATE TABLE orders (id integer PRIMARY KEY, cur_code text NOT NULL, street text, town text);

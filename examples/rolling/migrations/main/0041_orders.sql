-- stopover: expand
CREATE TABLE orders (id bigint PRIMARY KEY, cur_code text NOT NULL, street text, town text);

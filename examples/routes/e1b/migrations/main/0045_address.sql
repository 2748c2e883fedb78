-- stopover: expand needs=1.8 requires=main:0044_drop_cur_code.contract
ALTER TABLE orders ADD COLUMN address text;

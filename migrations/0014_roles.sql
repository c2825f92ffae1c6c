-- Two roles beside root and users: support reads users, calls and orders; finance sees to payments and the books.
ALTER TABLE users DROP CONSTRAINT users_role_check,
  ADD CONSTRAINT users_role_check CHECK (role IN ('user', 'support', 'finance', 'root'));

-- Trabalhos de treino podem ter mais de uma tentativa: qual delas fez os resultados, e quantas houve.
ALTER TABLE trabalhos
  ADD COLUMN tentativa   text,
  ADD COLUMN tentativas  bigint NOT NULL DEFAULT 1 CHECK (tentativas >= 0);
COMMENT ON COLUMN trabalhos.tentativa IS 'Tentativa cujos resultados valem, por exemplo "001-9f3a1c7e".';
COMMENT ON COLUMN trabalhos.tentativas IS 'Quantas tentativas houve.';

-- A chave de um voo: a fonte não traz número de voo, e há 7.851 combinações de minuto, origem e destino com mais de um (7.892 voos a
-- mais). 'ordem' os numera pelo atraso. Em 191 pares até o atraso coincide: é o que se espera do acaso entre voos diferentes, por isso
-- ficam; como as linhas são iguais em tudo, a numeração não depende de qual vem primeiro.
SELECT
  partida,
  origem,
  destino,
  row_number() OVER (PARTITION BY partida, origem, destino ORDER BY atraso, distancia) AS ordem,
  distancia,
  atraso
FROM voos
ORDER BY partida, origem, destino, ordem

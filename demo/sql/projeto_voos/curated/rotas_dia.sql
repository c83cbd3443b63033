-- Pontualidade de cada rota em cada dia da partida.
SELECT
  origem,
  destino,
  CAST(partida AS DATE) AS dia,
  count(*) AS voos,
  count(*) FILTER (WHERE atraso > 15) AS atrasados,
  CAST(sum(atraso) AS BIGINT) AS minutos_atraso
FROM voos
GROUP BY origem, destino, dia
ORDER BY origem, destino, dia

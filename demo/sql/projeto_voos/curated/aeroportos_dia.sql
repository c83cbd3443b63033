-- Pontualidade de cada aeroporto em cada dia: o que partiu dele e o que foi para ele, e quanto chegou com mais de 15 minutos de atraso.
-- Só contagens inteiras: o resultado é o mesmo em qualquer máquina. O dia é o da partida, também para quem chega.
WITH movimentos AS (
  SELECT origem AS iata, CAST(partida AS DATE) AS dia, TRUE AS partiu, atraso > 15 AS atrasado FROM voos
  UNION ALL
  SELECT destino AS iata, CAST(partida AS DATE) AS dia, FALSE AS partiu, atraso > 15 AS atrasado FROM voos
)
SELECT
  iata,
  dia,
  count(*) FILTER (WHERE partiu) AS partidas,
  count(*) FILTER (WHERE partiu AND atrasado) AS partidas_atrasadas,
  count(*) FILTER (WHERE NOT partiu) AS chegadas,
  count(*) FILTER (WHERE NOT partiu AND atrasado) AS chegadas_atrasadas
FROM movimentos
GROUP BY iata, dia
ORDER BY iata, dia

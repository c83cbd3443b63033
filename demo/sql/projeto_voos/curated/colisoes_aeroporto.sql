-- Colisões com aves por aeroporto e mês de 2001, ao lado do movimento do mesmo mês. A fonte das colisões só traz nomes de aeroportos, escritos à sua
-- maneira: 'nomes' diz de que código se trata. Colisões de aviões que não são de linha (militares, privados) contam à parte.
WITH nomes (aeroporto, iata) AS (
  VALUES
    ('ATLANTA INTL', 'ATL'), ('ATLANTIC CITY INTL', 'ACY'), ('AUSTIN-BERGSTROM INTL', 'AUS'), ('BALTIMORE WASH INTL', 'BWI'),
    ('BARKSDALE AIR FORCE BASE ARPT', 'BAD'), ('CHARLESTON AFB/INTL ARPT', 'CHS'), ('CHARLOTTE/DOUGLAS INTL ARPT', 'CLT'),
    ('CHICAGO MIDWAY INTL ARPT', 'MDW'), ('CHICAGO O''HARE INTL ARPT', 'ORD'), ('CINCINNATI/NORTHERN KENTUCKY INTL ARPT', 'CVG'),
    ('CLEVELAND-HOPKINS INTL ARPT', 'CLE'), ('DALLAS/FORT WORTH INTL ARPT', 'DFW'), ('DENVER INTL AIRPORT', 'DEN'),
    ('DETROIT METRO WAYNE COUNTY ARPT', 'DTW'), ('EPPLEY AIRFIELD', 'OMA'), ('FORT LAUDERDALE/HOLLYWOOD INTL', 'FLL'),
    ('GEORGE BUSH INTERCONTINENTAL', 'IAH'), ('GREATER PITTSBURGH', 'PIT'), ('HONOLULU INTL ARPT', 'HNL'), ('HOUSTON-HOBBY', 'HOU'),
    ('INDIANAPOLIS INTL', 'IND'), ('JOHN F KENNEDY INTL', 'JFK'), ('KANSAS CITY INTL', 'MCI'), ('LAGUARDIA NY', 'LGA'),
    ('LAMBERT-ST LOUIS INTL', 'STL'), ('LIHUE ARPT', 'LIH'), ('LOGAN INTL', 'BOS'), ('LOS ANGELES INTL', 'LAX'),
    ('LOUISVILLE INTL ARPT', 'SDF'), ('MEMPHIS INTL', 'MEM'), ('METRO OAKLAND INTL', 'OAK'), ('MINETA SAN JOSE INTL', 'SJC'),
    ('MINNEAPOLIS-ST PAUL INTL', 'MSP'), ('NASHVILLE INTL', 'BNA'), ('NEW ORLEANS INTL', 'MSY'), ('NEWARK LIBERTY INTL ARPT', 'EWR'),
    ('ORLANDO INTL', 'MCO'), ('PHILADELPHIA INTL', 'PHL'), ('PHOENIX SKY HARBOR', 'PHX'), ('PORT COLUMBUS INTL', 'CMH'),
    ('PORTLAND INTL (OR)', 'PDX'), ('RONALD REAGAN WASHINGTON NATL', 'DCA'), ('SACRAMENTO INTL', 'SMF'),
    ('SALT LAKE CITY INTL', 'SLC'), ('SAN ANTONIO INTL', 'SAT'), ('SAN FRANCISCO INTL ARPT', 'SFO'), ('SEATTLE-TACOMA INTL', 'SEA'),
    ('TETERBORO AIRPORT', 'TEB'), ('WASHINGTON DULLES INTL ARPT', 'IAD'), ('WILL ROGERS WORLD ARPT', 'OKC')
),
colisoes_mes AS (
  SELECT
    n.iata,
    c.aeroporto,
    month(c.data) AS mes,
    count(*) AS colisoes,
    count(*) FILTER (WHERE c.dano <> 'none') AS com_dano,
    count(*) FILTER (WHERE c.operador IN ('MILITARY', 'GOVERNMENT', 'BUSINESS', 'PRIVATELY OWNED')) AS fora_de_linha,
    CAST(sum(c.custo_total) AS BIGINT) AS custo_total
  FROM colisoes AS c
  LEFT JOIN nomes AS n ON n.aeroporto = c.aeroporto
  WHERE c.data BETWEEN DATE '2001-01-01' AND DATE '2001-06-30'
  GROUP BY n.iata, c.aeroporto, month(c.data)
),
movimento_mes AS (
  SELECT iata, month(dia) AS mes, CAST(sum(partidas) AS BIGINT) AS partidas, CAST(sum(chegadas) AS BIGINT) AS chegadas
  FROM aeroportos_dia
  GROUP BY iata, month(dia)
)
SELECT
  c.iata,
  a.nome,
  c.aeroporto AS nome_na_fonte,
  a.estado,
  c.mes,
  c.colisoes,
  c.com_dano,
  c.fora_de_linha,
  c.custo_total,
  m.partidas,
  m.chegadas,
  CAST((c.colisoes - c.fora_de_linha) * 10000 AS DECIMAL(18, 2)) / (m.partidas + m.chegadas) AS colisoes_por_10_mil_movimentos
FROM colisoes_mes AS c
LEFT JOIN aeroportos AS a ON a.iata = c.iata
LEFT JOIN movimento_mes AS m ON m.iata = c.iata AND m.mes = c.mes
ORDER BY c.iata, c.mes

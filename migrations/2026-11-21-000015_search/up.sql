ALTER TABLE customers ADD COLUMN search tsvector NOT NULL DEFAULT '';
COMMENT ON COLUMN customers.search IS 'The lexemes under which q finds the record, each with the org and kind in front (src/domain/search.rs).';

-- Records that are there already, by the same rules.
WITH words AS (
    SELECT c.org_id, c.id, right(replace(c.org_id::text, '-', ''), 12)
            || CASE c.kind WHEN 'contact' THEN 'p' WHEN 'account' THEN 'c' ELSE 'l' END AS scope,
        '=' AS marker, c.number::text AS word
    FROM customers AS c
    UNION ALL
    SELECT c.org_id, c.id, right(replace(c.org_id::text, '-', ''), 12)
            || CASE c.kind WHEN 'contact' THEN 'p' WHEN 'account' THEN 'c' ELSE 'l' END,
        found.marker, found.word
    FROM customers AS c, LATERAL (
        SELECT ':' AS marker, unnest(regexp_split_to_array(text, '\s+') || regexp_split_to_array(text, '[^[:alnum:]]+')) AS word
        FROM unnest(ARRAY[c.name, c.lastname, c.contact_id]) AS text
        UNION ALL
        SELECT ':', unnest(ARRAY[entry ->> 'value', substring(entry ->> 'value' FROM '@.*$'), substring(entry ->> 'value' FROM '@(.*)$')]
            || regexp_split_to_array(split_part(entry ->> 'value', '@', 1), '[^[:alnum:]]+'))
        FROM jsonb_array_elements(c.emails) AS entry
        UNION ALL
        SELECT '#', ltrim(regexp_replace(digits, '\D', '', 'g'), '0')
        FROM jsonb_array_elements(c.phones) AS entry, unnest(ARRAY[entry ->> 'value', entry ->> 'e164']) AS digits
        UNION ALL
        SELECT '<', reverse(regexp_replace(coalesce(entry ->> 'e164', entry ->> 'value'), '\D', '', 'g'))
        FROM jsonb_array_elements(c.phones) AS entry
        UNION ALL
        SELECT ':', identity.value FROM customer_identities AS identity
        WHERE identity.org_id = c.org_id AND identity.customer_id = c.id AND identity.kind = 2
    ) AS found
    WHERE found.word <> ''
), lexemes AS (
    SELECT org_id, id, array_agg(DISTINCT scope || marker
        || left(translate(normalize(regexp_replace(normalize(lower(word), NFD), '[\u0300-\u036f]', '', 'g'), NFC), 'đ', 'd'), 64)) AS found
    FROM words GROUP BY org_id, id
)
UPDATE customers AS c SET search = array_to_tsvector(lexemes.found)
FROM lexemes WHERE c.org_id = lexemes.org_id AND c.id = lexemes.id;

CREATE INDEX customers_search ON customers USING gin (search);

-- What records.rs reads. Ids end in what they stand for: a1 and a2 are the orgs, 1 to 4 the users.
INSERT INTO orgs SELECT ('00000000-0000-0000-0000-0000000000a' || n)::uuid, 'public' || n, 'org' || n, 'Org', now(), now()
FROM generate_series(1, 2) AS n;

INSERT INTO users SELECT o.id, ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'u' || n || '@acme.vn', 'u' || n || '@acme.vn',
    'User ' || n, CASE n WHEN 1 THEN 'owner' ELSE 'member' END, true, NULL, now(), now()
FROM orgs AS o, generate_series(1, 4) AS n;

INSERT INTO groups VALUES
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000b1', 'Sales', 'sales', now(), now());

INSERT INTO tags VALUES
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000c1', 'VIP', 'vip', now()),
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000c2', 'alpha', 'alpha', now());

INSERT INTO listeners (org_id, id, name, name_key, enabled, mode, allowed_ips, unknown_references, created_at, updated_at) VALUES
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000f1', 'Web form', 'web form', true, 'sync', '{}', 'reject', now(), now());

CREATE TEMPORARY TABLE seed (org text, id int, kind text, number int, name text, lastname text, permit int, for_group text, for_user text, owner int, company text);
INSERT INTO seed VALUES
    ('a1', 91, 'account', 1, 'Secret Corp', NULL, 2, NULL, NULL, 1, NULL),
    ('a1', 92, 'account', 2, 'Open Corp', NULL, 1, NULL, NULL, 1, NULL),
    ('a1', 1, 'contact', 1, 'Huy', 'Nguyễn', 1, NULL, NULL, 1, '91'),
    ('a1', 2, 'contact', 2, 'Own', NULL, 2, NULL, NULL, 2, '92'),
    ('a1', 3, 'contact', 3, 'Grouped', NULL, 3, 'b1', NULL, 1, NULL),
    ('a1', 4, 'contact', 4, 'Shared', NULL, 4, NULL, '04', 1, NULL),
    ('a1', 5, 'contact', 5, '100% a_b', NULL, 2, 'b1', '04', 1, NULL),
    ('a1', 6, 'lead', 1, 'Lead', NULL, 1, NULL, NULL, 1, '91'),
    ('a2', 1, 'contact', 1, 'Alien', NULL, 1, NULL, NULL, 1, NULL);

INSERT INTO customers (org_id, id, kind, number, name, name_key, lastname, lastname_key, gender, emails, phones, addresses, websites, im,
    cus_fields, permit_status, permit_group_id, permit_user_ids, company_id, owner_id, created_at, updated_at)
SELECT ('00000000-0000-0000-0000-0000000000' || org)::uuid, ('00000000-0000-7000-8000-0000000000' || lpad(id::text, 2, '0'))::uuid,
    kind, number, name, lower(name), lastname, lower(lastname), 2,
    CASE name WHEN 'Huy' THEN '[{"type": "Other", "value": "Huy@HTK.com"}]' ELSE '[]' END::jsonb,
    CASE name WHEN 'Huy' THEN '[{"type": "Other", "value": "0905 000 001", "e164": "+84905000001"}]' ELSE '[]' END::jsonb,
    '[]', '[]', '[]', '{}', permit, ('00000000-0000-0000-0000-0000000000' || for_group)::uuid,
    array_remove(ARRAY[('00000000-0000-0000-0000-0000000000' || for_user)::uuid], NULL),
    ('00000000-0000-7000-8000-0000000000' || company)::uuid, ('00000000-0000-0000-0000-00000000000' || owner)::uuid,
    '2026-01-01T00:00:00Z'::timestamptz + (id - 1) * interval '1 day', now()
FROM seed;

INSERT INTO customer_identities VALUES
    ('00000000-0000-0000-0000-0000000000a1', 0, 2, 'B12345', '00000000-0000-7000-8000-000000000001'),
    ('00000000-0000-0000-0000-0000000000a1', 0, 3, 'huy@htk.com', '00000000-0000-7000-8000-000000000001'),
    ('00000000-0000-0000-0000-0000000000a1', 0, 4, '+84905000001', '00000000-0000-7000-8000-000000000001'),
    ('00000000-0000-0000-0000-0000000000a1', 1, 3, 'huy@htk.com', '00000000-0000-7000-8000-000000000006');

INSERT INTO customer_tags VALUES
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-7000-8000-000000000001', '00000000-0000-0000-0000-0000000000c1'),
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-7000-8000-000000000001', '00000000-0000-0000-0000-0000000000c2'),
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-7000-8000-000000000005', '00000000-0000-0000-0000-0000000000c1');

INSERT INTO history (org_id, id, at, kind, customer_id, actor_id, listener_id, request_id, details) VALUES
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-7000-9000-000000000001', now(), 'created', '00000000-0000-7000-8000-000000000001',
     '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000f1', '00000000-0000-0000-0000-0000000000f9', '{"by": "listener"}'),
    ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-7000-9000-000000000002', now(), 'duplicate_skipped', '00000000-0000-7000-8000-000000000001',
     '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000f2', NULL, '{"matched": []}');

DROP TABLE custom_fields, slas, org_currencies, picklist_entries, tags;

// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tsvector", schema = "pg_catalog"))]
    pub struct Tsvector;
}

diesel::table! {
    activities (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        source -> Text,
        external_id -> Nullable<Text>,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        outcome -> Nullable<Text>,
        subject -> Nullable<Text>,
        body -> Nullable<Text>,
        search_key -> Text,
        operator_id -> Nullable<Uuid>,
        operator_name -> Nullable<Text>,
        details -> Jsonb,
        customer_id -> Uuid,
        deal_id -> Nullable<Uuid>,
        permit_status -> Int2,
        permit_group_id -> Nullable<Uuid>,
        permit_user_ids -> Array<Nullable<Uuid>>,
        owner_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        as_of -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_keys (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        name -> Text,
        name_key -> Text,
        role -> Text,
        token_hash -> Bytea,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        key_id -> Nullable<Bytea>,
    }
}

diesel::table! {
    audit_log (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        api_key_id -> Nullable<Uuid>,
        actor_name -> Text,
        address -> Nullable<Inet>,
        action -> Text,
        resource -> Text,
        resource_id -> Text,
        resource_name -> Text,
        changes -> Jsonb,
    }
}

diesel::table! {
    connection_cursors (org_id, connection_id, resource) {
        org_id -> Uuid,
        connection_id -> Uuid,
        resource -> Text,
        until -> Timestamptz,
    }
}

diesel::table! {
    connection_runs (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        connection_id -> Uuid,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        status -> Text,
        requests -> Int4,
        items -> Int4,
        created -> Int4,
        updated -> Int4,
        unchanged -> Int4,
        failed -> Int4,
        error -> Nullable<Jsonb>,
        resources -> Jsonb,
    }
}

diesel::table! {
    connection_tokens (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        connection_id -> Uuid,
        token_hash -> Bytea,
        token_sealed -> Bytea,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    connections (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        name -> Text,
        name_key -> Text,
        enabled -> Bool,
        listener_id -> Uuid,
        sender_id -> Uuid,
        welcome -> Bool,
        on_match -> Text,
        since -> Timestamptz,
        settings -> Jsonb,
        secret_sealed -> Bytea,
        paused_code -> Nullable<Text>,
        last_error_code -> Nullable<Text>,
        last_error_message -> Nullable<Text>,
        last_error_at -> Nullable<Timestamptz>,
        last_heard_at -> Nullable<Timestamptz>,
        last_run_at -> Nullable<Timestamptz>,
        last_success_at -> Nullable<Timestamptz>,
        next_run_at -> Nullable<Timestamptz>,
        run_requested -> Nullable<Uuid>,
        failures -> Int4,
        lease_id -> Nullable<Uuid>,
        lease_until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    custom_fields (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        model -> Text,
        name -> Text,
        name_key -> Text,
        kind -> Text,
        options -> Jsonb,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    customer_external_ids (org_id, source, external_id) {
        org_id -> Uuid,
        source -> Text,
        external_id -> Text,
        customer_id -> Uuid,
    }
}

diesel::table! {
    customer_identities (org_id, world, kind, value) {
        org_id -> Uuid,
        world -> Int2,
        kind -> Int2,
        value -> Text,
        customer_id -> Uuid,
    }
}

diesel::table! {
    customer_tags (org_id, customer_id, tag_id) {
        org_id -> Uuid,
        customer_id -> Uuid,
        tag_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Tsvector;

    customers (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        number -> Int8,
        contact_id -> Nullable<Text>,
        name -> Text,
        name_key -> Text,
        lastname -> Nullable<Text>,
        lastname_key -> Nullable<Text>,
        title -> Nullable<Text>,
        passport -> Nullable<Text>,
        gender -> Int2,
        bg_info -> Nullable<Text>,
        date_of_birth -> Nullable<Date>,
        emails -> Jsonb,
        phones -> Jsonb,
        addresses -> Jsonb,
        websites -> Jsonb,
        im -> Jsonb,
        cus_fields -> Jsonb,
        permit_status -> Int2,
        permit_group_id -> Nullable<Uuid>,
        permit_user_ids -> Array<Nullable<Uuid>>,
        company_id -> Nullable<Uuid>,
        source_id -> Nullable<Uuid>,
        owner_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        search -> Tsvector,
    }
}

diesel::table! {
    deal_contacts (org_id, deal_id, customer_id) {
        org_id -> Uuid,
        deal_id -> Uuid,
        customer_id -> Uuid,
    }
}

diesel::table! {
    deal_names (org_id, name_key) {
        org_id -> Uuid,
        name_key -> Text,
        deal_id -> Uuid,
    }
}

diesel::table! {
    deal_owners (org_id, deal_id, position) {
        org_id -> Uuid,
        deal_id -> Uuid,
        position -> Int4,
        user_id -> Nullable<Uuid>,
        group_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    deals (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        deal_id -> Text,
        name -> Text,
        name_key -> Text,
        value -> Nullable<Numeric>,
        currency -> Text,
        description -> Nullable<Text>,
        stage_id -> Uuid,
        category_id -> Nullable<Uuid>,
        package_id -> Nullable<Uuid>,
        close_date -> Nullable<Timestamptz>,
        deal_with_id -> Nullable<Uuid>,
        cus_fields -> Jsonb,
        permit_status -> Int2,
        permit_group_id -> Nullable<Uuid>,
        permit_user_ids -> Array<Nullable<Uuid>>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    deliveries (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        listener_id -> Uuid,
        received_at -> Timestamptz,
        caller -> Inet,
        query -> Text,
        headers -> Jsonb,
        body -> Bytea,
        body_complete -> Bool,
        sender_user -> Nullable<Text>,
        dry_run -> Bool,
        status -> Text,
        http_status -> Nullable<Int2>,
        answer -> Nullable<Text>,
        duration_ms -> Nullable<Int4>,
        repeats -> Nullable<Uuid>,
        respond_async -> Bool,
        replay_of -> Nullable<Uuid>,
        unresolved -> Nullable<Int4>,
        format -> Text,
        attempts -> Int2,
        connection_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    erased_external_ids (org_id, digest) {
        org_id -> Uuid,
        digest -> Bytea,
        erased_at -> Timestamptz,
    }
}

diesel::table! {
    group_members (org_id, group_id, user_id) {
        org_id -> Uuid,
        group_id -> Uuid,
        user_id -> Uuid,
    }
}

diesel::table! {
    groups (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        name -> Text,
        name_key -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    history (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        at -> Timestamptz,
        kind -> Text,
        customer_id -> Nullable<Uuid>,
        deal_id -> Nullable<Uuid>,
        ticket_id -> Nullable<Uuid>,
        actor_id -> Nullable<Uuid>,
        listener_id -> Nullable<Uuid>,
        request_id -> Nullable<Uuid>,
        details -> Jsonb,
        connection_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    idempotency_keys (org_id, listener_id, key) {
        org_id -> Uuid,
        listener_id -> Uuid,
        key -> Text,
        fingerprint -> Bytea,
        delivery_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    listener_tokens (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        listener_id -> Uuid,
        token_hash -> Bytea,
        token_sealed -> Bytea,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    listeners (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        name -> Text,
        name_key -> Text,
        enabled -> Bool,
        mode -> Text,
        allowed_ips -> Array<Nullable<Cidr>>,
        default_tag_id -> Nullable<Uuid>,
        contact_source_id -> Nullable<Uuid>,
        lead_source_id -> Nullable<Uuid>,
        welcome_email -> Nullable<Jsonb>,
        welcome_sms -> Nullable<Jsonb>,
        unknown_references -> Text,
        rate_per_second -> Nullable<Int4>,
        rate_burst -> Nullable<Int4>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    mail_quotas (org_id) {
        org_id -> Uuid,
        day -> Date,
        sent -> Int4,
    }
}

diesel::table! {
    message_accounts (org_id, channel) {
        org_id -> Uuid,
        channel -> Text,
        settings -> Jsonb,
        secrets_sealed -> Bytea,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    notes (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        body -> Text,
        body_key -> Text,
        customer_id -> Nullable<Uuid>,
        deal_id -> Nullable<Uuid>,
        channel_id -> Nullable<Uuid>,
        permit_status -> Int2,
        permit_group_id -> Nullable<Uuid>,
        permit_user_ids -> Array<Nullable<Uuid>>,
        owner_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    org_counters (org_id, name) {
        org_id -> Uuid,
        name -> Text,
        next_value -> Int8,
    }
}

diesel::table! {
    org_currencies (org_id, code) {
        org_id -> Uuid,
        code -> Text,
        id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    org_settings (org_id) {
        org_id -> Uuid,
        time_zone -> Text,
        default_region -> Text,
        default_currency -> Text,
        directory_version -> Int8,
        sms_credits -> Int8,
        erasure_salt -> Bytea,
    }
}

diesel::table! {
    orgs (id) {
        id -> Uuid,
        public_id -> Text,
        slug -> Text,
        name -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    outbox (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        channel -> Text,
        status -> Text,
        recipient -> Text,
        subject -> Nullable<Text>,
        html -> Nullable<Text>,
        text -> Nullable<Text>,
        segments -> Nullable<Int2>,
        message_id -> Text,
        customer_id -> Nullable<Uuid>,
        lead_id -> Nullable<Uuid>,
        sender_id -> Nullable<Uuid>,
        listener_id -> Nullable<Uuid>,
        request_id -> Nullable<Uuid>,
        attempts -> Int2,
        next_attempt_at -> Timestamptz,
        created_at -> Timestamptz,
        claim_id -> Nullable<Uuid>,
        sent_at -> Nullable<Timestamptz>,
        provider_id -> Nullable<Text>,
        last_words -> Nullable<Text>,
        wording_id -> Nullable<Uuid>,
        merge_fields -> Nullable<Jsonb>,
    }
}

diesel::table! {
    outbox_attempts (org_id, message_id, number) {
        org_id -> Uuid,
        message_id -> Uuid,
        number -> Int4,
        at -> Timestamptz,
        duration_ms -> Int4,
        outcome -> Text,
        words -> Text,
    }
}

diesel::table! {
    outbox_pauses (org_id, channel) {
        org_id -> Uuid,
        channel -> Text,
        until -> Timestamptz,
        refusals -> Int4,
        reason -> Text,
    }
}

diesel::table! {
    picklist_entries (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        list -> Text,
        name -> Text,
        name_key -> Text,
        position -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        user_id -> Uuid,
        token_hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        last_used_at -> Timestamptz,
        key_id -> Nullable<Bytea>,
    }
}

diesel::table! {
    sign_in_failures (subject) {
        subject -> Bytea,
        failures -> Int4,
        last_failed_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_networks (subject) {
        subject -> Bytea,
        last_signed_in_at -> Timestamptz,
    }
}

diesel::table! {
    slas (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        name -> Text,
        name_key -> Text,
        first_response_minutes -> Int4,
        resolution_minutes -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    source_tokens (hash) {
        hash -> Bytea,
        holder -> Uuid,
        until -> Timestamptz,
    }
}

diesel::table! {
    tags (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        name -> Text,
        name_key -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    ticket_tags (org_id, ticket_id, tag_id) {
        org_id -> Uuid,
        ticket_id -> Uuid,
        tag_id -> Uuid,
    }
}

diesel::table! {
    tickets (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        number -> Int8,
        title -> Nullable<Text>,
        body -> Text,
        search_key -> Text,
        customer_id -> Uuid,
        deal_id -> Nullable<Uuid>,
        permit_status -> Int2,
        permit_group_id -> Nullable<Uuid>,
        sla_id -> Nullable<Uuid>,
        first_response_due_at -> Nullable<Timestamptz>,
        resolution_due_at -> Nullable<Timestamptz>,
        channel_id -> Nullable<Uuid>,
        cus_fields -> Jsonb,
        owner_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    users (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        email -> Text,
        email_key -> Text,
        name -> Text,
        role -> Text,
        active -> Bool,
        password_hash -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    wordings (org_id, id) {
        org_id -> Uuid,
        id -> Uuid,
        subject -> Nullable<Text>,
        html -> Nullable<Text>,
        text -> Nullable<Text>,
    }
}

diesel::joinable!(activities -> orgs (org_id));
diesel::joinable!(api_keys -> orgs (org_id));
diesel::joinable!(audit_log -> orgs (org_id));
diesel::joinable!(connections -> orgs (org_id));
diesel::joinable!(custom_fields -> orgs (org_id));
diesel::joinable!(customer_external_ids -> orgs (org_id));
diesel::joinable!(customers -> orgs (org_id));
diesel::joinable!(deals -> orgs (org_id));
diesel::joinable!(deliveries -> orgs (org_id));
diesel::joinable!(erased_external_ids -> orgs (org_id));
diesel::joinable!(groups -> orgs (org_id));
diesel::joinable!(history -> orgs (org_id));
diesel::joinable!(idempotency_keys -> orgs (org_id));
diesel::joinable!(listeners -> orgs (org_id));
diesel::joinable!(mail_quotas -> orgs (org_id));
diesel::joinable!(message_accounts -> orgs (org_id));
diesel::joinable!(notes -> orgs (org_id));
diesel::joinable!(org_counters -> orgs (org_id));
diesel::joinable!(org_currencies -> orgs (org_id));
diesel::joinable!(org_settings -> orgs (org_id));
diesel::joinable!(outbox -> orgs (org_id));
diesel::joinable!(outbox_attempts -> orgs (org_id));
diesel::joinable!(outbox_pauses -> orgs (org_id));
diesel::joinable!(picklist_entries -> orgs (org_id));
diesel::joinable!(slas -> orgs (org_id));
diesel::joinable!(tags -> orgs (org_id));
diesel::joinable!(tickets -> orgs (org_id));
diesel::joinable!(users -> orgs (org_id));
diesel::joinable!(wordings -> orgs (org_id));

diesel::allow_tables_to_appear_in_same_query!(
    activities,
    api_keys,
    audit_log,
    connection_cursors,
    connection_runs,
    connection_tokens,
    connections,
    custom_fields,
    customer_external_ids,
    customer_identities,
    customer_tags,
    customers,
    deal_contacts,
    deal_names,
    deal_owners,
    deals,
    deliveries,
    erased_external_ids,
    group_members,
    groups,
    history,
    idempotency_keys,
    listener_tokens,
    listeners,
    mail_quotas,
    message_accounts,
    notes,
    org_counters,
    org_currencies,
    org_settings,
    orgs,
    outbox,
    outbox_attempts,
    outbox_pauses,
    picklist_entries,
    sessions,
    sign_in_failures,
    sign_in_networks,
    slas,
    source_tokens,
    tags,
    ticket_tags,
    tickets,
    users,
    wordings,
);

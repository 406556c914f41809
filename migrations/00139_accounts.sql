-- +goose Up
-- An organisation that is invoiced by the month takes places on its account: an order of the month collects them (accruing), is invoiced when
-- the month is over (billed), and is paid when its money came. Its learners are enrolled from the first day.
ALTER TABLE sales.orders DROP CONSTRAINT order_state_known,
    ADD CONSTRAINT order_state_known CHECK (state IN ('awaiting_payment', 'paid', 'expired', 'canceled', 'payment_mismatch',
        'partially_refunded', 'withdrawn', 'refunded', 'disputed', 'lost', 'defaulted', 'accruing', 'billed')),
    ADD COLUMN due_at timestamptz, -- of one that was billed: until when it is to be paid
    DROP COLUMN billed_to;
CREATE TABLE sales.accounts (
    order_id   text PRIMARY KEY REFERENCES sales.orders,
    account    text NOT NULL CHECK (length(account) BETWEEN 1 AND 60), -- whose places they are, such as a cohort
    month      date NOT NULL CHECK (extract(day FROM month) = 1),
    ends_at    timestamptz NOT NULL,     -- when the month is over where its issuer is
    due_days   int NOT NULL CHECK (due_days BETWEEN 0 AND 120),
    billed_at  timestamptz,
    dropped_at timestamptz,              -- nobody remained: there is nothing to bill
    reminders  int NOT NULL DEFAULT 0,
    CONSTRAINT billed_or_dropped CHECK (num_nonnulls(billed_at, dropped_at) < 2)
);
CREATE UNIQUE INDEX one_account_per_month ON sales.accounts (account, month) WHERE dropped_at IS NULL;
CREATE INDEX accounts_to_bill ON sales.accounts (ends_at) WHERE billed_at IS NULL AND dropped_at IS NULL;
ALTER TABLE sales.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.accounts TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY managers ON sales.accounts FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
GRANT SELECT, INSERT ON sales.accounts TO cursus_app;
GRANT UPDATE (billed_at, dropped_at, reminders) ON sales.accounts TO cursus_app;

-- What was ordered is frozen, except while an account collects its places.
GRANT UPDATE (total_minor, due_at) ON sales.orders TO cursus_app;
GRANT UPDATE (quantity, total_minor) ON sales.lines TO cursus_app;
ALTER TABLE sales.lines DROP CONSTRAINT lines_quantity_check, ADD CONSTRAINT lines_quantity_check CHECK (quantity BETWEEN 1 AND 1000000);
-- +goose StatementBegin
CREATE FUNCTION sales.frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    standing text;
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        standing := OLD.state;
    ELSE
        SELECT state INTO standing FROM sales.orders WHERE id = OLD.order_id;
    END IF;
    IF standing <> 'accruing' THEN
        RAISE EXCEPTION 'what was ordered is frozen' USING ERRCODE = 'check_violation', CONSTRAINT = 'ordered_is_frozen';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER frozen BEFORE UPDATE OF total_minor ON sales.orders FOR EACH ROW WHEN (OLD.total_minor IS DISTINCT FROM NEW.total_minor) EXECUTE FUNCTION sales.frozen();
CREATE TRIGGER frozen BEFORE UPDATE OF quantity, total_minor ON sales.lines FOR EACH ROW
    WHEN (OLD.quantity IS DISTINCT FROM NEW.quantity OR OLD.total_minor IS DISTINCT FROM NEW.total_minor) EXECUTE FUNCTION sales.frozen();

CREATE OR REPLACE VIEW sales.standing WITH (security_invoker = true) AS
SELECT o.id, o.buyer_id, o.organisation, o.state IN ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed') AS sold,
       CASE WHEN o.state = 'awaiting_payment'
            THEN CASE WHEN EXISTS (SELECT 1 FROM payments.payments y WHERE y.id = o.payment_id AND y.state = 'pending') THEN 'infinity' ELSE o.expires_at END
       END AS held_until
  FROM sales.orders o;

INSERT INTO accounting.chart (prefix, number, title_en, title_fr) VALUES
    ('unbilled:', '418100', 'Customers, to be invoiced', 'Clients, factures à établir'),
    ('accrued', '706800', 'Training provided, to be invoiced', 'Prestations de formation, à facturer');

-- Where an issuer's months begin and end.
ALTER TABLE invoicing.issuers ADD COLUMN zone text NOT NULL DEFAULT 'Europe/Paris' CHECK (length(zone) BETWEEN 1 AND 60);

-- What a cohort that is invoiced by the month agreed on: the price of a place, and in how many days an invoice is due.
ALTER TABLE cohorts.cohorts
    ADD COLUMN price_minor bigint CHECK (price_minor >= 0),
    ADD COLUMN price_currency text CHECK (price_currency ~ '^[A-Z]{3}$'),
    ADD COLUMN due_days int CHECK (due_days BETWEEN 0 AND 120);
UPDATE cohorts.cohorts c SET price_minor = o.price_minor, price_currency = o.currency, due_days = 30 FROM offers.offers o
 WHERE o.id = c.offer_id AND c.agreement = 'invoiced_monthly';
ALTER TABLE cohorts.cohorts ADD CONSTRAINT monthly_has_its_terms
    CHECK ((agreement = 'invoiced_monthly') = (num_nonnulls(price_minor, price_currency, due_days) = 3) AND num_nonnulls(price_minor, price_currency, due_days) IN (0, 3));

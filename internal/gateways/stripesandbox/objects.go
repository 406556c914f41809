package stripesandbox

// The shapes of Stripe's objects, version 2023-10-16, as far as a payment by Checkout fills them. A field of type null is
// one that Stripe sends and that is always null here; the judge in the tests validates every object against Stripe's
// published schema.

type null = *struct{}

type address struct {
	City       null `json:"city"`
	Country    null `json:"country"`
	Line1      null `json:"line1"`
	Line2      null `json:"line2"`
	PostalCode null `json:"postal_code"`
	State      null `json:"state"`
}

type session struct {
	ID                    string            `json:"id"`
	Object                string            `json:"object"`
	AfterExpiration       null              `json:"after_expiration"`
	AllowPromotionCodes   null              `json:"allow_promotion_codes"`
	AmountSubtotal        *int64            `json:"amount_subtotal"` // null of a page on which nothing is paid
	AmountTotal           *int64            `json:"amount_total"`
	AutomaticTax          automaticTax      `json:"automatic_tax"`
	BillingAddress        null              `json:"billing_address_collection"`
	CancelURL             *string           `json:"cancel_url"`
	ClientReferenceID     *string           `json:"client_reference_id"`
	ClientSecret          null              `json:"client_secret"`
	Consent               null              `json:"consent"`
	ConsentCollection     null              `json:"consent_collection"`
	Created               int64             `json:"created"`
	Currency              string            `json:"currency"`
	CurrencyConversion    null              `json:"currency_conversion"`
	CustomFields          []struct{}        `json:"custom_fields"`
	CustomText            customText        `json:"custom_text"`
	Customer              *string           `json:"customer"`
	CustomerCreation      *string           `json:"customer_creation"`
	CustomerDetails       *customerDetails  `json:"customer_details"`
	CustomerEmail         *string           `json:"customer_email"`
	ExpiresAt             int64             `json:"expires_at"`
	Invoice               null              `json:"invoice"`
	InvoiceCreation       null              `json:"invoice_creation"`
	Livemode              bool              `json:"livemode"`
	Locale                *string           `json:"locale"`
	Metadata              map[string]string `json:"metadata"`
	Mode                  string            `json:"mode"`
	PaymentIntent         *string           `json:"payment_intent"`
	PaymentLink           null              `json:"payment_link"`
	PaymentMethodColl     string            `json:"payment_method_collection"`
	PaymentMethodConfig   null              `json:"payment_method_configuration_details"`
	PaymentMethodOptions  struct{}          `json:"payment_method_options"`
	PaymentMethodTypes    []string          `json:"payment_method_types"`
	PaymentStatus         string            `json:"payment_status"`
	PhoneNumberCollection phoneCollection   `json:"phone_number_collection"`
	RecoveredFrom         null              `json:"recovered_from"`
	SetupIntent           *string           `json:"setup_intent"`
	ShippingAddress       null              `json:"shipping_address_collection"`
	ShippingCost          null              `json:"shipping_cost"`
	ShippingDetails       null              `json:"shipping_details"`
	ShippingOptions       []struct{}        `json:"shipping_options"`
	Status                string            `json:"status"`
	SubmitType            null              `json:"submit_type"`
	Subscription          null              `json:"subscription"`
	SuccessURL            string            `json:"success_url"`
	TotalDetails          totalDetails      `json:"total_details"`
	UIMode                string            `json:"ui_mode"`
	URL                   *string           `json:"url"`
}

type automaticTax struct {
	Enabled   bool `json:"enabled"`
	Liability null `json:"liability"`
	Status    null `json:"status"`
}

type customText struct {
	AfterSubmit     null `json:"after_submit"`
	ShippingAddress null `json:"shipping_address"`
	Submit          null `json:"submit"`
	Terms           null `json:"terms_of_service_acceptance"`
}

type customerDetails struct {
	Address   *address   `json:"address"`
	Email     *string    `json:"email"`
	Name      *string    `json:"name"`
	Phone     null       `json:"phone"`
	TaxExempt string     `json:"tax_exempt"`
	TaxIDs    []struct{} `json:"tax_ids"`
}

type phoneCollection struct {
	Enabled bool `json:"enabled"`
}

type totalDetails struct {
	AmountDiscount int64 `json:"amount_discount"`
	AmountShipping int64 `json:"amount_shipping"`
	AmountTax      int64 `json:"amount_tax"`
}

// sessionRow is a session with what its pay page shows and what it hands to its payment intent.
type sessionRow struct {
	S            session           `json:"s"`
	ItemName     string            `json:"item"`
	Description  *string           `json:"description,omitempty"`
	IntentMeta   map[string]string `json:"intent_meta"`
	Authenticate string            `json:"authenticate,omitempty"` // number of the card that waits for its 3-D Secure step
	SettleAt     int64             `json:"settle_at,omitempty"`    // unix second; 0: no delayed payment waits
	SettleFails  bool              `json:"settle_fails,omitempty"`
	FutureUsage  *string           `json:"future_usage,omitempty"` // of its payment intent
}

type intent struct {
	ID                  string            `json:"id"`
	Object              string            `json:"object"`
	Amount              int64             `json:"amount"`
	AmountCapturable    int64             `json:"amount_capturable"`
	AmountDetails       amountDetails     `json:"amount_details"`
	AmountReceived      int64             `json:"amount_received"`
	Application         null              `json:"application"`
	ApplicationFee      null              `json:"application_fee_amount"`
	AutomaticMethods    null              `json:"automatic_payment_methods"`
	CanceledAt          *int64            `json:"canceled_at"`
	CancellationReason  *string           `json:"cancellation_reason"`
	CaptureMethod       string            `json:"capture_method"`
	ClientSecret        string            `json:"client_secret"`
	ConfirmationMethod  string            `json:"confirmation_method"`
	Created             int64             `json:"created"`
	Currency            string            `json:"currency"`
	Customer            *string           `json:"customer"`
	Description         *string           `json:"description"`
	Invoice             null              `json:"invoice"`
	LastPaymentError    *errorBody        `json:"last_payment_error"`
	LatestCharge        *string           `json:"latest_charge"`
	Livemode            bool              `json:"livemode"`
	Metadata            map[string]string `json:"metadata"`
	NextAction          *nextAction       `json:"next_action"`
	OnBehalfOf          null              `json:"on_behalf_of"`
	PaymentMethod       *string           `json:"payment_method"`
	PaymentMethodConfig null              `json:"payment_method_configuration_details"`
	PaymentMethodOpts   struct{}          `json:"payment_method_options"`
	PaymentMethodTypes  []string          `json:"payment_method_types"`
	Processing          null              `json:"processing"`
	ReceiptEmail        *string           `json:"receipt_email"`
	Review              null              `json:"review"`
	SetupFutureUsage    *string           `json:"setup_future_usage"`
	Shipping            null              `json:"shipping"`
	StatementDescriptor null              `json:"statement_descriptor"`
	StatementSuffix     null              `json:"statement_descriptor_suffix"`
	Status              string            `json:"status"`
	TransferData        null              `json:"transfer_data"`
	TransferGroup       null              `json:"transfer_group"`
}

type amountDetails struct {
	Tip struct{} `json:"tip"`
}

type nextAction struct {
	Type          string        `json:"type"`
	RedirectToURL redirectToURL `json:"redirect_to_url"`
}

type redirectToURL struct {
	ReturnURL string `json:"return_url"`
	URL       string `json:"url"`
}

type charge struct {
	ID                   string            `json:"id"`
	Object               string            `json:"object"`
	Amount               int64             `json:"amount"`
	AmountCaptured       int64             `json:"amount_captured"`
	AmountRefunded       int64             `json:"amount_refunded"`
	Application          null              `json:"application"`
	ApplicationFee       null              `json:"application_fee"`
	ApplicationFeeAmount null              `json:"application_fee_amount"`
	BalanceTransaction   *string           `json:"balance_transaction"`
	BillingDetails       billingDetails    `json:"billing_details"`
	CalculatedDescriptor *string           `json:"calculated_statement_descriptor"`
	Captured             bool              `json:"captured"`
	Created              int64             `json:"created"`
	Currency             string            `json:"currency"`
	Customer             *string           `json:"customer"`
	Description          *string           `json:"description"`
	Disputed             bool              `json:"disputed"`
	FailureBalanceTx     null              `json:"failure_balance_transaction"`
	FailureCode          *string           `json:"failure_code"`
	FailureMessage       *string           `json:"failure_message"`
	FraudDetails         struct{}          `json:"fraud_details"`
	Invoice              null              `json:"invoice"`
	Livemode             bool              `json:"livemode"`
	Metadata             map[string]string `json:"metadata"`
	OnBehalfOf           null              `json:"on_behalf_of"`
	Outcome              *chargeOutcome    `json:"outcome"`
	Paid                 bool              `json:"paid"`
	PaymentIntent        *string           `json:"payment_intent"`
	PaymentMethod        *string           `json:"payment_method"`
	PaymentMethodDetails methodDetails     `json:"payment_method_details"`
	ReceiptEmail         *string           `json:"receipt_email"`
	ReceiptNumber        null              `json:"receipt_number"`
	ReceiptURL           null              `json:"receipt_url"`
	Refunded             bool              `json:"refunded"`
	Review               null              `json:"review"`
	Shipping             null              `json:"shipping"`
	SourceTransfer       null              `json:"source_transfer"`
	StatementDescriptor  null              `json:"statement_descriptor"`
	StatementSuffix      null              `json:"statement_descriptor_suffix"`
	Status               string            `json:"status"`
	TransferData         null              `json:"transfer_data"`
	TransferGroup        null              `json:"transfer_group"`
}

type billingDetails struct {
	Address address `json:"address"`
	Email   *string `json:"email"`
	Name    *string `json:"name"`
	Phone   null    `json:"phone"`
}

type chargeOutcome struct {
	NetworkStatus string  `json:"network_status"`
	Reason        *string `json:"reason"`
	RiskLevel     string  `json:"risk_level"`
	RiskScore     int     `json:"risk_score"`
	SellerMessage string  `json:"seller_message"`
	Type          string  `json:"type"`
}

type methodDetails struct {
	Type string       `json:"type"`
	Card *cardDetails `json:"card,omitempty"`
	Sepa *sepaDetails `json:"sepa_debit,omitempty"`
}

type cardDetails struct {
	Brand        string      `json:"brand"`
	Checks       cardChecks  `json:"checks"`
	Country      string      `json:"country"`
	ExpMonth     int         `json:"exp_month"`
	ExpYear      int         `json:"exp_year"`
	Fingerprint  string      `json:"fingerprint"`
	Funding      string      `json:"funding"`
	Installments null        `json:"installments"`
	Last4        string      `json:"last4"`
	Mandate      null        `json:"mandate"`
	Network      string      `json:"network"`
	ThreeDSecure *threeDInfo `json:"three_d_secure"`
	Wallet       null        `json:"wallet"`
}

type cardChecks struct {
	Line1  null   `json:"address_line1_check"`
	Postal null   `json:"address_postal_code_check"`
	CVC    string `json:"cvc_check"`
}

type threeDInfo struct {
	Flow         string  `json:"authentication_flow"`
	Result       string  `json:"result"`
	ResultReason *string `json:"result_reason"`
	Version      string  `json:"version"`
}

type sepaDetails struct {
	BankCode    string `json:"bank_code"`
	BranchCode  null   `json:"branch_code"`
	Country     string `json:"country"`
	Fingerprint string `json:"fingerprint"`
	Last4       string `json:"last4"`
	Mandate     null   `json:"mandate"`
}

type refund struct {
	ID                     string             `json:"id"`
	Object                 string             `json:"object"`
	Amount                 int64              `json:"amount"`
	BalanceTransaction     *string            `json:"balance_transaction"`
	Charge                 string             `json:"charge"`
	Created                int64              `json:"created"`
	Currency               string             `json:"currency"`
	DestinationDetails     destinationDetails `json:"destination_details"`
	FailureBalanceTx       string             `json:"failure_balance_transaction,omitempty"`
	FailureReason          string             `json:"failure_reason,omitempty"`
	Metadata               map[string]string  `json:"metadata"`
	PaymentIntent          *string            `json:"payment_intent"`
	Reason                 *string            `json:"reason"`
	ReceiptNumber          null               `json:"receipt_number"`
	SourceTransferReversal null               `json:"source_transfer_reversal"`
	Status                 string             `json:"status"`
	TransferReversal       null               `json:"transfer_reversal"`
}

type destinationDetails struct {
	Type string           `json:"type"`
	Card *destinationCard `json:"card,omitempty"`
}

type destinationCard struct {
	Type string `json:"type"`
}

type dispute struct {
	ID                   string            `json:"id"`
	Object               string            `json:"object"`
	Amount               int64             `json:"amount"`
	BalanceTransactions  []balanceTx       `json:"balance_transactions"`
	Charge               string            `json:"charge"`
	Created              int64             `json:"created"`
	Currency             string            `json:"currency"`
	Evidence             evidence          `json:"evidence"`
	EvidenceDetails      evidenceDetails   `json:"evidence_details"`
	IsChargeRefundable   bool              `json:"is_charge_refundable"`
	Livemode             bool              `json:"livemode"`
	Metadata             map[string]string `json:"metadata"`
	PaymentIntent        *string           `json:"payment_intent"`
	PaymentMethodDetails *disputeMethod    `json:"payment_method_details,omitempty"`
	Reason               string            `json:"reason"`
	Status               string            `json:"status"`
}

type disputeMethod struct {
	Type string      `json:"type"`
	Card disputeCard `json:"card"`
}

type disputeCard struct {
	Brand      string  `json:"brand"`
	ReasonCode *string `json:"network_reason_code"`
}

type evidence struct {
	CustomerEmail    *string `json:"customer_email_address"`
	CustomerName     *string `json:"customer_name"`
	UncategorizedTxt *string `json:"uncategorized_text"`
}

type evidenceDetails struct {
	DueBy           *int64 `json:"due_by"`
	HasEvidence     bool   `json:"has_evidence"`
	PastDue         bool   `json:"past_due"`
	SubmissionCount int    `json:"submission_count"`
}

type balanceTx struct {
	ID                string      `json:"id"`
	Object            string      `json:"object"`
	Amount            int64       `json:"amount"`
	AvailableOn       int64       `json:"available_on"`
	Created           int64       `json:"created"`
	Currency          string      `json:"currency"`
	Description       *string     `json:"description"`
	ExchangeRate      null        `json:"exchange_rate"`
	Fee               int64       `json:"fee"`
	FeeDetails        []feeDetail `json:"fee_details"`
	Net               int64       `json:"net"`
	ReportingCategory string      `json:"reporting_category"`
	Source            *string     `json:"source"`
	Status            string      `json:"status"`
	Type              string      `json:"type"`
}

type feeDetail struct {
	Amount      int64  `json:"amount"`
	Application null   `json:"application"`
	Currency    string `json:"currency"`
	Description string `json:"description"`
	Type        string `json:"type"`
}

#include "pg/ledger/book.hpp"

#include "core/money/decimal.hpp"

#include "pg/ledger/around_booking.hpp"
#include "pg/ledger/sql.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"

namespace loyalty::pg {

using namespace ledger;

namespace {

// How many lots of an account a redemption looks at first; most need one or two of what may be thousands.
constexpr std::int64_t first_lots = 4;

Type read_type(const std::string& type) {
    if (type == "accrual") return Type::accrual;
    if (type == "initial") return Type::initial;
    if (type == "redemption") return Type::redemption;
    if (type == "refund") return Type::refund;
    if (type == "reversal") return Type::reversal;
    const bool is_own = type == "expiration" || type == "reset";
    throw Error(sqlstate::wrong_transaction_type,
                is_own ? "a transaction of type \"" + type + "\" is booked by the ledger alone"
                       : "transaction type \"" + type + "\" is unknown",
                {}, "Types are accrual, initial, redemption, refund and reversal.");
}

int sign_of(Type type) { return type == Type::redemption || type == Type::reversal ? -1 : 1; }

bool is_credit(Type type) { return type == Type::accrual || type == Type::initial; }

class Booker {
public:
    Booker(const Posting& posting, const KeyArguments& key, AccountState& state)
        : posting_(posting),
          type_(read_type(posting.type)),
          key_(key),
          now_(now()),
          created_at_(posting.created_at.value_or(now_)),
          state_(state) {}

    Booking run() {
        check_form(posting_);
        state_ = lock_account(posting_.key, key_, question());
        const auto own = decide();
        if (own) write(*own);
        if (use_) count_use(*use_, booking_.id);
        if (is_cancel() && !booking_.repeated) give_back_undone();
        return std::move(booking_);
    }

    // In an account that is locked and read, with as many lots as it takes. Its entries get their ids; the caller writes them.
    Decision run_in_memory(std::vector<Uuid>& ids) {
        all_lots_read_ = true;
        const auto own = [&] {
            try {
                return decide();
            } catch (const Error&) {
                name_entries(ids);
                throw;
            }
        }();
        name_entries(ids);
        if (own) booking_.id = ids[*own];
        if (use_) count_use(*use_, booking_.id);
        return {std::move(booking_), own};
    }

private:
    // What was due has its entries even where the posting is refused then.
    void name_entries(std::vector<Uuid>& ids) const {
        while (ids.size() < state_.account.entries().size()) ids.push_back(make_uuid());
    }

    // The number of its entry in the account; nothing where it was booked before.
    std::optional<std::size_t> decide() {
        booking_.scale = terms_.scale;
        booking_.booked_at = now_;
        if (posting_.value) value_ = std::abs(read_value(*posting_.value, sign_of(type_), terms_.scale, "value"));
        if (is_repeated()) return std::nullopt;
        if (is_bound_by_rules()) bind_by_rules();
        const auto own = post();
        if (!own) return std::nullopt;
        const auto& entries = state_.account.entries();
        booking_.entry = entries[*own];
        for (std::size_t i = *own + 1; i < entries.size(); i++) {
            if (entries[i].type == Type::expiration) booking_.expired_at_once -= entries[i].value;
        }
        return own;
    }

    void write(std::size_t own) {
        booking_.id = write_account(posting_.key, key_, state_, now_,
                                    OwnRow{own, posting_.source_type, posting_.source, posting_.promotion});
        Terms terms = terms_;
        terms.judges_dynamic = terms.judges_dynamic && !posting_.of_order;
        judge_after_booking(posting_.key, key_, terms, state_.account, now_);
        const bool is_credited = is_credit(type_) || type_ == Type::refund;
        if (terms.has_goal && is_credited) claim_automatic_goal(posting_.key, terms);
    }

    bool is_cancel() const { return posting_.by_owner && posting_.source_type == "cancel"; }
    // What is booked by hand under a promotion. A hold was bound when it was made, an order by the version in force.
    bool is_bound_by_rules() const {
        const bool is_of_order = posting_.by_owner && posting_.source_type == "order";
        return posting_.promotion && !posting_.hold && !is_of_order &&
               (type_ == Type::accrual || type_ == Type::redemption);
    }
    void bind_by_rules() {
        const bool is_accrual = type_ == Type::accrual;
        use_.emplace(TriggerUse{posting_.key, *posting_.promotion, is_accrual ? value_ : 0, terms_.scale});
        require_use(*use_, now_);
        require_rule(posting_.key, *posting_.promotion, is_accrual, value_, terms_.scale);
    }
    void give_back_undone() const {
        static Query query(
            "SELECT coalesce(hold, id) FROM loyalty.transactions"
            " WHERE member = $1 AND program = $2 AND point_type = $3 AND seq = $4 AND promotion IS NOT NULL",
            {TEXTOID, TEXTOID, TEXTOID, INT8OID});
        const FreshSnapshot snapshot;
        const Rows rows =
            query.run({key_.member, key_.program, key_.point_type, optional_bigint_argument(posting_.undoes)});
        if (rows.size() > 0) give_back_use(posting_.key.member, posting_.key.program, uuid_at(rows, 0, 1), now_);
    }
    bool is_write_off() const { return posting_.by_owner && posting_.source_type == "write_off"; }

    AccountQuestion question() const {
        AccountQuestion question;
        question.now = now_;
        question.external_id = posting_.external_id;
        question.locked = posting_.locked;
        // Accruals, refunds and commits meet only the lots that are due; the latter two read those they refer to.
        if (is_credit(type_) || type_ == Type::refund || posting_.hold) question.until = now_;
        if (type_ == Type::redemption && !posting_.hold) question.limit = first_lots;
        return question;
    }

    // The first lots may not be enough.
    void read_enough_lots() {
        AccountQuestion more = question();
        while (std::ssize(state_.account.lots()) >= *more.limit && state_.account.active(now_) < value_) {
            *more.limit *= 16;
            read_account(key_, more, state_);
        }
    }

    // ------------------------------------------------------------------------------------------------------------------
    // The same posting once more

    bool is_repeated() {
        if (state_.hold && state_.hold != posting_.hold)
            fail_external_id_taken(*posting_.external_id, "It is that of a hold.");
        if (!state_.transaction) return false;
        // Version 0.1.0 booked what trigger promotions fired without a source.
        static Query query(
            "SELECT array_remove(ARRAY["
            "           CASE WHEN point_type <> $4 THEN 'point_type' END,"
            "           CASE WHEN type <> $5 THEN 'type' END,"
            "           CASE WHEN value - CASE WHEN type = 'reversal' THEN greatest(owed, 0) + lapsed ELSE 0 END"
            "                     + CASE WHEN source_type = 'write_off' THEN owed ELSE 0 END <> $6 THEN 'value' END,"
            "           CASE WHEN created_at <> $7 THEN 'created_at' END,"
            "           CASE WHEN active_from <> $8 THEN 'active_from' END,"
            "           CASE WHEN expires_at <> $9 THEN 'expires_at' END,"
            "           CASE WHEN undoes IS DISTINCT FROM $10 THEN 'undoes' END,"
            "           CASE WHEN hold IS DISTINCT FROM $11 THEN 'hold' END,"
            "           CASE WHEN source_type IS DISTINCT FROM $12 AND NOT (source_type IS NULL AND $12 = 'promotion') THEN 'source_type' END,"
            "           CASE WHEN source IS DISTINCT FROM $13 AND NOT (source_type IS NULL AND $12 = 'promotion') THEN 'source' END,"
            "           CASE WHEN promotion IS DISTINCT FROM $14 THEN 'promotion' END,"
            "           CASE WHEN erased IS NULL AND comment IS DISTINCT FROM $15 THEN 'comment' END,"
            "           CASE WHEN erased IS NULL AND data IS DISTINCT FROM $16 THEN 'data' END,"
            "           CASE WHEN erased <> " LOYALTY_ERASED_HASH("$15", "$16") " THEN 'what was erased' END], NULL)"
            "  FROM loyalty.transactions WHERE member = $1 AND program = $2 AND id = $3",
            {TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
             INT8OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID});
        const FreshSnapshot snapshot;
        const Rows rows = query.run(
            {key_.member, key_.program, uuid_argument(*state_.transaction), key_.point_type,
             text_argument(posting_.type), optional_datum_argument(posting_.value),
             optional_timestamp_argument(posting_.created_at), optional_timestamp_argument(posting_.active_from),
             optional_timestamp_argument(posting_.expires_at), optional_bigint_argument(posting_.undoes),
             optional_uuid_argument(posting_.hold), optional_text_argument(posting_.source_type),
             optional_text_argument(posting_.source), optional_text_argument(posting_.promotion),
             optional_text_argument(posting_.comment), optional_datum_argument(posting_.data)});
        std::string different;
        for (const auto& field : rows.texts(0, 1)) different += (different.empty() ? "" : ", ") + field;
        if (!different.empty())
            fail_external_id_taken(*posting_.external_id,
                                   "Transaction " + show(*state_.transaction) + " differs in: " + different + ".");
        booking_.repeated = state_.transaction;
        return true;
    }

    // ------------------------------------------------------------------------------------------------------------------
    // The verbs

    std::optional<std::size_t> post() {
        switch (type_) {
            case Type::accrual:
            case Type::initial:
                return post_credit();
            case Type::redemption:
                return posting_.hold ? post_commit() : post_redemption();
            case Type::refund:
                return post_refund();
            default:
                return is_write_off() ? post_write_off() : post_reversal();
        }
    }

    std::optional<std::size_t> post_credit() {
        if (posting_.hold) {
            if (!open_hold()) return std::nullopt;
            close_hold();
        } else {
            Terms terms = terms_;
            terms.program_active = terms.program_active || posting_.of_order;
            require_usable(terms, posting_.key, now_);
        }
        if (type_ == Type::initial) require_first_initial();
        booking_.active_from = posting_.active_from.value_or(created_at_);
        if (!TIMESTAMP_NOT_FINITE(*booking_.active_from))
            booking_.expires_at = posting_.expires_at ? *posting_.expires_at : terms_.expires_at(*booking_.active_from);
        if (!booking_.expires_at || *booking_.expires_at <= *booking_.active_from) {
            throw Error(sqlstate::wrong_dates, "the points would expire before they become active", {},
                        "Give an expires_at after active_from, or none.");
        }
        state_.account.expire(now_);
        return state_.account.credit(type_, value_, created_at_, *booking_.active_from, *booking_.expires_at, now_);
    }

    // The account is locked; a unique index stands behind this.
    void require_first_initial() const {
        static Query query(
            "SELECT FROM loyalty.transactions WHERE member = $1 AND program = $2 AND point_type = $3 AND type = 'initial'",
            {TEXTOID, TEXTOID, TEXTOID});
        const FreshSnapshot snapshot;
        if (query.run({key_.member, key_.program, key_.point_type}).size() == 0) return;
        throw Error(sqlstate::initial_exists,
                    "member \"" + posting_.key.member + "\" has had the initial balance of point type \"" +
                        posting_.key.point_type + "\"",
                    {}, "It is granted once in a lifetime; book an accrual.");
    }

    std::optional<std::size_t> post_redemption() {
        require_usable(terms_, posting_.key, now_);
        Account& account = state_.account;
        if (!all_lots_read_) read_enough_lots();
        account.expire(now_);
        if (account.active(now_) < value_) fail_insufficient(account, value_, now_, terms_.scale, posting_.key);
        return account.redeem(value_, created_at_, now_);
    }

    std::optional<std::size_t> post_write_off() {
        if (value_ > state_.account.owed) {
            throw Error(sqlstate::more_than_left, "more would be written off than is owed",
                        "Owed are " + show_points(state_.account.owed, terms_.scale) + ".");
        }
        state_.account.expire(now_);
        return state_.account.write_off(value_, created_at_);
    }

    // ------------------------------------------------------------------------------------------------------------------
    // Holds

    // Whether the hold is open; if it was committed before, its transaction is the answer.
    bool open_hold() {
        static Query query(
            "SELECT h.state, h.point_type = $4 AND h.type = $5 AND h.amount = $6,"
            "       (SELECT t.id FROM loyalty.transactions t WHERE t.member = $1 AND t.program = $2 AND t.hold = $3)"
            "  FROM loyalty.holds h WHERE h.member = $1 AND h.program = $2 AND h.id = $3",
            {TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID});
        const FreshSnapshot snapshot;
        const Rows rows = query.run({key_.member, key_.program, uuid_argument(*posting_.hold), key_.point_type,
                                     text_argument(posting_.type), units_argument(value_, terms_.scale)});
        if (rows.size() == 0)
            throw Error(sqlstate::unknown_transaction, "hold " + show(*posting_.hold) + " does not exist");
        if (!rows.boolean(0, 2)) throw Error(sqlstate::more_than_left, "a commit is for the whole of its hold");
        if (!rows.is_null(0, 3)) {
            booking_.repeated = uuid_at(rows, 0, 3);
            return false;
        }
        const std::string state = rows.text(0, 1);
        if (state != "open") {
            throw Error(sqlstate::hold_ended, "hold " + show(*posting_.hold) + " has ended",
                        state == "timed_out" ? "It timed out." : "It was rolled back.", "Make a new hold.");
        }
        if (terms_.member_removed)
            throw Error(sqlstate::removed_member, "member \"" + posting_.key.member + "\" was removed");
        return true;
    }

    void close_hold() const {
        static Query query(
            "UPDATE loyalty.holds SET state = 'committed', ended_at = $4 WHERE member = $1 AND program = $2 AND id = $3",
            {TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID});
        query.run({key_.member, key_.program, uuid_argument(*posting_.hold), timestamp_argument(now_)}, true);
    }

    std::optional<std::size_t> post_commit() {
        if (!open_hold()) return std::nullopt;
        const std::vector<Movement> reserved = read_reserved(key_, *posting_.hold, terms_.scale, state_.account);
        close_hold();
        state_.account.expire(now_);
        return state_.account.commit(reserved, created_at_);
    }

    // ------------------------------------------------------------------------------------------------------------------
    // Giving back and taking back

    [[noreturn]] void fail_undone(const std::string& found) const {
        throw Error(sqlstate::unknown_transaction,
                    "transaction " + std::to_string(*posting_.undoes) + " of the account is no " +
                        (type_ == Type::refund ? "redemption" : "accrual or initial"),
                    found.empty() ? "It does not exist." : "It is of type " + found + ".",
                    type_ == Type::refund ? "A refund gives back a redemption of the same account."
                                          : "A reversal takes back an accrual of the same account.");
    }

    // What an order booked is undone by the functions for orders alone, which keep the order's own figures; what a goal
    // took and gave stays.
    void refuse_row_of(const std::optional<std::string>& source_type) const {
        const bool is_of_goal = source_type == "goal";
        if (!is_of_goal && (source_type != "order" || posting_.of_order)) return;
        throw Error(sqlstate::cannot_be_cancelled,
                    "transaction " + std::to_string(*posting_.undoes) + " of the account was booked by " +
                        (is_of_goal ? "a goal" : "an order"),
                    {},
                    is_of_goal ? "What a goal gave is not taken back; book an accrual to make good for it."
                               : "Use loyalty_cancel_order() or loyalty_return_items().");
    }

    // The amount of a refund or claim, given what is left of the row that it undoes; nothing if a cancellation was booked.
    bool settle_amount(Units left, const Rows& rows, int cancel_column) {
        if (is_cancel() && !rows.is_null(0, cancel_column)) {
            booking_.repeated = uuid_at(rows, 0, cancel_column);
            return false;
        }
        if (!posting_.value) value_ = left;
        if (value_ > left || value_ == 0) {
            throw Error(sqlstate::more_than_left,
                        std::string("more would be ") +
                            (type_ == Type::refund ? "given back than was spent" : "taken back than was earned"),
                        "Left are " + show_points(left, terms_.scale) + ".");
        }
        return true;
    }

    std::optional<std::size_t> post_refund() {
        static Query query(
            "SELECT t.type, -t.value,"
            "       (SELECT coalesce(sum(r.value), 0) FROM loyalty.transactions r"
            "         WHERE r.member = $1 AND r.program = $2 AND r.point_type = $3 AND r.seq > $4 AND r.undoes = $4),"
            "       (SELECT c.id FROM loyalty.transactions c"
            "         WHERE c.member = $1 AND c.program = $2 AND c.point_type = $3 AND c.undoes = $4 AND c.source_type = 'cancel'),"
            "       t.source_type"
            "  FROM loyalty.transactions t WHERE t.member = $1 AND t.program = $2 AND t.point_type = $3 AND t.seq = $4",
            {TEXTOID, TEXTOID, TEXTOID, INT8OID});
        static Query consumption(
            "SELECT l.seq, l.remaining, l.held, l.active_from, l.expires_at, -m.value"
            "  FROM loyalty.lot_movements m"
            "  JOIN loyalty.lots l ON l.member = $1 AND l.program = $2 AND l.point_type = $3 AND l.seq = m.lot"
            " WHERE m.member = $1 AND m.program = $2 AND m.point_type = $3 AND m.seq = $4"
            " ORDER BY l.expires_at, l.active_from, l.seq",
            {TEXTOID, TEXTOID, TEXTOID, INT8OID});
        const FreshSnapshot snapshot;
        const Argument undoes = bigint_argument(*posting_.undoes);
        const Rows rows = query.run({key_.member, key_.program, key_.point_type, undoes});
        if (rows.size() == 0 || rows.text(0, 1) != "redemption") fail_undone(rows.size() == 0 ? "" : rows.text(0, 1));
        refuse_row_of(rows.optional_text(0, 5));
        Redemption redemption;
        redemption.seq = *posting_.undoes;
        redemption.refunded = units_at(rows, 0, 3, terms_.scale);
        if (!settle_amount(units_at(rows, 0, 2, terms_.scale) - redemption.refunded, rows, 4)) return std::nullopt;
        if (!terms_.refund_allowed && !is_cancel()) {
            throw Error(sqlstate::refund_not_allowed,
                        "points of type \"" + posting_.key.point_type + "\" are not refunded", {},
                        "An erroneous redemption can be cancelled with loyalty_cancel().");
        }
        Account& account = state_.account;
        const Rows lots = consumption.run({key_.member, key_.program, key_.point_type, undoes});
        for (std::uint64_t row = 0; row < lots.size(); row++) {
            redemption.consumption.push_back({bigint_at(lots, row, 1), units_at(lots, row, 6, terms_.scale)});
        }
        add_lots(account, lots, 1, terms_.scale);
        account.sort();
        account.expire(now_);
        return account.refund(redemption, value_, created_at_, now_);
    }

    std::optional<std::size_t> post_reversal() {
        Account& account = state_.account;
        Claim claim;
        claim.debt_allowed = terms_.debt_allowed;
        if (!posting_.undoes) {
            account.expire(now_);
        } else if (!read_claim(claim)) {
            return std::nullopt;
        }
        claim.amount = value_;
        return account.reverse(claim, created_at_, now_);
    }

    // What is to be known of the accrual; false if it was cancelled before.
    bool read_claim(Claim& claim) {
        static Query query(
            "SELECT t.type, t.value, t.source_type, l.seq, l.remaining, l.held, l.active_from, l.expires_at,"
            "       undone.claimed, undone.lapsed,"
            "       (SELECT coalesce(sum(-x.value), 0) FROM loyalty.transactions x"
            "         WHERE x.member = $1 AND x.program = $2 AND x.point_type = $3 AND x.seq > $4 AND x.lot = $4)"
            "       + (SELECT coalesce(sum(-m.value), 0) FROM loyalty.lot_movements m"
            "            JOIN loyalty.transactions x USING (member, program, point_type, seq)"
            "           WHERE m.member = $1 AND m.program = $2 AND m.point_type = $3 AND m.seq > $4 AND m.lot = $4 AND x.type = 'reset'),"
            "       (SELECT c.id FROM loyalty.transactions c"
            "         WHERE c.member = $1 AND c.program = $2 AND c.point_type = $3 AND c.undoes = $4 AND c.source_type = 'cancel')"
            "  FROM loyalty.transactions t"
            "  LEFT JOIN loyalty.lots l ON l.member = $1 AND l.program = $2 AND l.point_type = $3 AND l.seq = $4"
            " CROSS JOIN (SELECT coalesce(sum(-r.value + greatest(r.owed, 0) + r.lapsed), 0) AS claimed, coalesce(sum(r.lapsed), 0) AS lapsed"
            "               FROM loyalty.transactions r"
            "              WHERE r.member = $1 AND r.program = $2 AND r.point_type = $3 AND r.seq > $4 AND r.undoes = $4) undone"
            " WHERE t.member = $1 AND t.program = $2 AND t.point_type = $3 AND t.seq = $4",
            {TEXTOID, TEXTOID, TEXTOID, INT8OID});
        const FreshSnapshot snapshot;
        const Rows rows = query.run({key_.member, key_.program, key_.point_type, bigint_argument(*posting_.undoes)});
        const std::string type = rows.size() == 0 ? "" : rows.text(0, 1);
        if (type != "accrual" && type != "initial") fail_undone(type);
        refuse_row_of(rows.optional_text(0, 3));
        if (!settle_amount(units_at(rows, 0, 2, terms_.scale) - units_at(rows, 0, 9, terms_.scale), rows, 12))
            return false;
        Account& account = state_.account;
        add_lots(account, rows, 4, terms_.scale);
        account.sort();
        account.expire(now_);
        claim.accrual = posting_.undoes;
        claim.lapsed = units_at(rows, 0, 11, terms_.scale) - units_at(rows, 0, 10, terms_.scale);
        for (const auto& entry : account.entries()) {
            if (entry.lot == posting_.undoes) claim.lapsed -= entry.value;
        }
        return true;
    }

    const Posting& posting_;
    const Type type_;
    const KeyArguments& key_;
    const TimestampTz now_;
    const TimestampTz created_at_;
    Units value_ = 0;
    AccountState& state_;
    bool all_lots_read_ = false;
    const Terms& terms_ = state_.terms;
    Booking booking_;
    std::optional<TriggerUse> use_;
};

}  // namespace

void check_form(const Posting& posting) {
    const Type type = read_type(posting.type);
    const TimestampTz present = now(), created_at = posting.created_at.value_or(present);
    if (!posting.by_owner) refuse_own_source(posting.source_type);
    if (!posting.value && !(posting.by_owner && posting.source_type == "cancel"))
        throw Error(sqlstate::missing_field, "a transaction needs a value");
    if (type == Type::refund && !posting.undoes) {
        throw Error(sqlstate::missing_field, "a refund needs the redemption that it gives back", {},
                    "Give its number in column \"undoes\", or use loyalty_refund().");
    }
    if (posting.undoes && type != Type::refund && type != Type::reversal) {
        throw Error(sqlstate::wrong_transaction_type, "a transaction of type \"" + posting.type + "\" undoes no other",
                    {}, "Refunds give redemptions back, reversals take accruals back.");
    }
    check_attachments(posting.source_type, posting.source, posting.data);
    if (TIMESTAMP_NOT_FINITE(created_at)) throw Error(sqlstate::wrong_dates, "created_at is not a moment");
    if (has_year_of_two_digits(created_at)) {
        throw Error(sqlstate::wrong_dates, "created_at is in a year of two digits", {}, "Write years in full.");
    }
    if (created_at > present) {
        throw Error(sqlstate::moment_in_future, "created_at is in the future", {},
                    "Points that count from a later moment have an active_from.");
    }
    if (!is_credit(type) && (posting.active_from || posting.expires_at)) {
        throw Error(sqlstate::wrong_dates, "only accruals and initial balances have an active_from and an expires_at");
    }
}

Booking book(const Posting& posting) {
    const KeyArguments key(posting.key);
    AccountState state;
    return naming_damage(posting.key, [&] { return Booker(posting, key, state).run(); });
}

Decision decide(const Posting& posting, const KeyArguments& key, AccountState& state, std::vector<Uuid>& ids) {
    return naming_damage(posting.key, [&] { return Booker(posting, key, state).run_in_memory(ids); });
}

std::string show_points(std::int64_t units, int scale) {
    std::string text;
    append_decimal(text, units, scale);
    return text;
}

namespace {

// A finite number, not zero, of the right sign.
Decimal read_signed(Datum datum, int sign, const std::string& noun) {
    const bool is_finite = postgres([=] {
        const Numeric numeric = DatumGetNumeric(datum);
        return !numeric_is_nan(numeric) && !numeric_is_inf(numeric);
    });
    if (!is_finite) throw Error(sqlstate::value_not_finite, "the " + noun + " is not a finite number");
    const std::string text = postgres([=] { return DatumGetCString(DirectFunctionCall1(numeric_out, datum)); });
    const auto value = Decimal::parse(text);
    if (!value)
        throw Error(sqlstate::points_overflow, "the " + noun + " is too large", {},
                    "A number of points has at most 18 digits.");
    if (value->is_zero())
        throw Error(sqlstate::value_zero, "the " + noun + " is zero", {}, "A booking changes the balance.");
    if (value->is_negative() != (sign < 0)) {
        throw Error(sqlstate::value_sign, "the " + noun + " is " + (sign < 0 ? "positive" : "negative"),
                    "It is " + text + ".",
                    sign < 0 ? "Redemptions and reversals have a value below zero."
                             : "Accruals, initial balances, refunds and amounts are above zero.");
    }
    return *value;
}

}  // namespace

void refuse_own_source(const std::optional<std::string>& source_type) {
    if (source_type == "cancel" || source_type == "settlement" || source_type == "write_off") {
        throw Error(sqlstate::reserved_source, "source type \"" + *source_type + "\" is the ledger's own", {},
                    "Use loyalty_cancel() or loyalty_write_off_owed(), or another source type.");
    }
    if (source_type == "goal") {
        throw Error(sqlstate::reserved_source, "source type \"goal\" is that of loyalty's own goals", {},
                    "Use loyalty_claim(), or another source type.");
    }
    if (source_type == "order") {
        throw Error(sqlstate::reserved_source, "source type \"order\" is that of loyalty's own orders", {},
                    "Use loyalty_place_order(), or another source type.");
    }
}

void check_attachments(const std::optional<std::string>& source_type, const std::optional<std::string>& source,
                       const std::optional<Datum>& data) {
    if (source && !source_type) throw Error(sqlstate::missing_field, "a source needs its source type");
    if (source_type && source_type->empty()) throw Error(sqlstate::missing_field, "the source type is empty");
    if (!data) return;
    const Datum value = *data;
    if (!postgres([=] { return static_cast<bool>(JB_ROOT_IS_OBJECT(DatumGetJsonbP(value))); })) {
        throw Error(sqlstate::wrong_type, "the data of a transaction are not an object", {}, "Give a JSON object.");
    }
}

void check_amount(const std::optional<Datum>& amount) {
    if (!amount) throw Error(sqlstate::missing_field, "an amount is missing");
    read_signed(*amount, +1, "amount");
}

std::int64_t read_value(Datum datum, int sign, int scale, std::string_view noun) {
    const Decimal value = read_signed(datum, sign, std::string(noun));
    if (value.scale() > scale) {
        throw Error(sqlstate::value_scale, "the " + std::string(noun) + " has too many decimals",
                    "It is " + value.to_string() + ", the point type has a scale of " + std::to_string(scale) + ".",
                    "Round it first.");
    }
    const auto units = value.units(scale);
    if (!units) {
        throw Error(sqlstate::points_overflow, "the " + std::string(noun) + " is too large",
                    "It is " + value.to_string() + ".", "A number of points has at most 18 digits.");
    }
    return *units;
}

void require_usable(const Terms& terms, const AccountKey& key, TimestampTz now) {
    if (!terms.program_active) {
        throw Error(sqlstate::inactive_program, "program \"" + key.program + "\" is not active", {},
                    "Activate it with UPDATE loyalty.programs SET active = true.");
    }
    if (terms.member_removed) {
        throw Error(sqlstate::removed_member,
                    "member \"" + key.member + "\" was removed from program \"" + key.program + "\"", {},
                    "Enrol the member again.");
    }
    if (!terms.type_usable(now)) {
        throw Error(sqlstate::inactive_point_type, "point type \"" + key.point_type + "\" is not active", {},
                    "Points of an inactive type are neither earned nor spent; see loyalty_activate_point_type().");
    }
}

void fail_insufficient(const Account& account, std::int64_t wanted, TimestampTz now, int scale, const AccountKey& key) {
    throw Error(
        sqlstate::insufficient_points,
        "member \"" + key.member + "\" has too few points of type \"" + key.point_type + "\"",
        "Wanted are " + show_points(wanted, scale) + ", active " + show_points(account.active(now), scale) + ".",
        "Only active points that are not held can be spent.");
}

void fail_external_id_taken(const std::string& external_id, const std::string& detail) {
    throw Error(sqlstate::external_id_taken, "external id \"" + external_id + "\" was used for something else", detail,
                "Repeat a request with exactly the same content, or use a new id.");
}

}  // namespace loyalty::pg

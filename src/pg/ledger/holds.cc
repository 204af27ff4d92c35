#include "pg/ledger/holds.hpp"

#include "pg/ledger/amounts.hpp"
#include "pg/ledger/around_booking.hpp"
#include "pg/ledger/refusals.hpp"
#include "pg/server/clock.hpp"

namespace loyalty::pg {

using namespace ledger;

namespace {

TimestampTz add_interval(TimestampTz moment, Datum interval) {
    return postgres([=] {
        return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(moment), interval));
    });
}

class Holder {
public:
    explicit Holder(const Hold& hold) : hold_(hold), key_(hold.key), now_(now()), wall_(wall_now()) {}

    MadeHold run() {
        check_form();
        state_ = lock_account(hold_.key, key_, question());
        amount_ = read_value(*hold_.amount, +1, terms_.scale, "amount");
        if (state_.hold) return {*state_.hold, check_repeated()};
        if (state_.transaction)
            fail_external_id_taken(*hold_.external_id, "It is that of transaction " + show(*state_.transaction) + ".");
        require_usable(terms_, hold_.key, now_);
        check_dates();
        std::optional<TriggerUse> use;
        if (hold_.promotion) {
            use.emplace(TriggerUse{hold_.key, *hold_.promotion, is_redemption() ? 0 : amount_, terms_.scale});
            require_use(*use, now_);
            require_rule(hold_.key, *hold_.promotion, !is_redemption(), amount_, terms_.scale);
        }
        state_.account.expire(now_);
        std::vector<Movement> reserved;
        if (is_redemption()) {
            if (state_.account.active(now_) < amount_)
                fail_insufficient(state_.account, amount_, now_, terms_.scale, hold_.key);
            reserved = state_.account.hold(amount_, now_);
        }
        write_account(hold_.key, key_, state_, now_, std::nullopt);
        const Uuid id = make_uuid();
        insert(id);
        if (use) count_use(*use, id);
        if (!reserved.empty()) insert_reserved(id, reserved);
        return {id, false};
    }

private:
    bool is_redemption() const { return hold_.type == "redemption"; }

    void check_form() {
        if (hold_.type != "accrual" && hold_.type != "redemption") {
            throw Error(sqlstate::wrong_transaction_type, "a hold cannot be of type \"" + hold_.type + "\"", {},
                        "It is an accrual or a redemption.");
        }
        check_amount(hold_.amount);
        refuse_own_source(hold_.source_type);
        check_attachments(hold_.source_type, hold_.source, hold_.data);
        if (!hold_.time_out)
            throw Error(sqlstate::wrong_time_out, "a hold needs a time-out", {},
                        "Give an interval, such as '15 minutes'.");
        ends_ = add_interval(wall_, *hold_.time_out);
        if (TIMESTAMP_NOT_FINITE(ends_) || ends_ <= wall_)
            throw Error(sqlstate::wrong_time_out, "the time-out of a hold is above zero");
        if (is_redemption() && (hold_.active_from || hold_.expires_at)) {
            throw Error(sqlstate::wrong_dates, "only accruals have an active_from and an expiry");
        }
    }

    // By the clock, so after a repeated request was answered.
    void check_dates() const {
        if ((hold_.active_from && TIMESTAMP_NOT_FINITE(*hold_.active_from)) ||
            (hold_.expires_at && *hold_.expires_at <= hold_.active_from.value_or(now_))) {
            throw Error(sqlstate::wrong_dates, "the points would expire before they become active", {},
                        "Give an expires_at after active_from, or none.");
        }
    }

    AccountQuestion question() const {
        AccountQuestion question;
        question.now = now_;
        question.external_id = hold_.external_id;
        if (!is_redemption()) question.until = now_;
        return question;
    }

    bool check_repeated() const {
        static Query query(
            "SELECT array_remove(ARRAY["
            "           CASE WHEN point_type <> $4 THEN 'point_type' END,"
            "           CASE WHEN type <> $5 THEN 'type' END,"
            "           CASE WHEN amount <> $6 THEN 'amount' END,"
            "           CASE WHEN time_out <> $7 THEN 'time_out' END,"
            "           CASE WHEN lot_active_from IS DISTINCT FROM $8 THEN 'active_from' END,"
            "           CASE WHEN lot_expires_at IS DISTINCT FROM $9 THEN 'expires_at' END,"
            "           CASE WHEN source_type IS DISTINCT FROM $10 THEN 'source_type' END,"
            "           CASE WHEN source IS DISTINCT FROM $11 THEN 'source' END,"
            "           CASE WHEN promotion IS DISTINCT FROM $12 THEN 'promotion' END,"
            "           CASE WHEN erased IS NULL AND comment IS DISTINCT FROM $13 THEN 'comment' END,"
            "           CASE WHEN erased IS NULL AND data IS DISTINCT FROM $14 THEN 'data' END,"
            "           CASE WHEN erased <> loyalty_internal.erased_hash($13, $14) THEN 'what was erased' END], NULL)"
            "  FROM loyalty.holds WHERE member = $1 AND program = $2 AND id = $3",
            {TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, INTERVALOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
             TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID});
        const FreshSnapshot snapshot;
        const Rows rows = query.run({key_.member,
                                     key_.program,
                                     uuid_argument(*state_.hold),
                                     key_.point_type,
                                     text_argument(hold_.type),
                                     units_argument(amount_, terms_.scale),
                                     {*hold_.time_out, false},
                                     optional_timestamp_argument(hold_.active_from),
                                     optional_timestamp_argument(hold_.expires_at),
                                     optional_text_argument(hold_.source_type),
                                     optional_text_argument(hold_.source),
                                     optional_text_argument(hold_.promotion),
                                     optional_text_argument(hold_.comment),
                                     optional_datum_argument(hold_.data)});
        std::string different;
        for (const auto& field : rows.texts(0, 1)) different += (different.empty() ? "" : ", ") + field;
        if (!different.empty())
            fail_external_id_taken(*hold_.external_id,
                                   "Hold " + show(*state_.hold) + " differs in: " + different + ".");
        return true;
    }

    void insert(const Uuid& id) const {
        static Query query(
            "INSERT INTO loyalty.holds (member, program, id, point_type, external_id, type, amount, time_out,"
            "    created_at, expires_at,"
            "                           lot_active_from, lot_expires_at, source_type, source, promotion, comment, data)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            {TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, INTERVALOID, TIMESTAMPTZOID,
             TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID});
        query.run({key_.member,
                   key_.program,
                   uuid_argument(id),
                   key_.point_type,
                   optional_text_argument(hold_.external_id),
                   text_argument(hold_.type),
                   units_argument(amount_, terms_.scale),
                   {*hold_.time_out, false},
                   timestamp_argument(now_),
                   timestamp_argument(ends_),
                   optional_timestamp_argument(hold_.active_from),
                   optional_timestamp_argument(hold_.expires_at),
                   optional_text_argument(hold_.source_type),
                   optional_text_argument(hold_.source),
                   optional_text_argument(hold_.promotion),
                   optional_text_argument(hold_.comment),
                   optional_datum_argument(hold_.data)},
                  true);
    }

    void insert_reserved(const Uuid& id, const std::vector<Movement>& reserved) const {
        static Query query(
            "INSERT INTO loyalty.hold_lots (member, program, hold, point_type, lot, amount)"
            " SELECT $1, $2, $4, $3, r.lot, r.amount FROM unnest($5::bigint[], $6::numeric[]) r (lot, amount)",
            {TEXTOID, TEXTOID, TEXTOID, UUIDOID, INT8ARRAYOID, NUMERICARRAYOID});
        std::vector<std::int64_t> lots, amounts;
        for (const auto& part : reserved) {
            lots.push_back(part.lot);
            amounts.push_back(part.value);
        }
        query.run({key_.member, key_.program, key_.point_type, uuid_argument(id), bigints_argument(lots),
                   units_array_argument(amounts, terms_.scale)},
                  true);
    }

    const Hold& hold_;
    const KeyArguments key_;
    const TimestampTz now_;
    const TimestampTz wall_;
    TimestampTz ends_ = 0;
    Units amount_ = 0;
    AccountState state_;
    const Terms& terms_ = state_.terms;
};

std::string read_state(const KeyArguments& key, const Uuid& id) {
    static Query query("SELECT state FROM loyalty.holds WHERE member = $1 AND program = $2 AND id = $3",
                       {TEXTOID, TEXTOID, UUIDOID});
    const FreshSnapshot snapshot;
    return query.run({key.member, key.program, uuid_argument(id)}).text(0, 1);
}

void end_rolled_back(const KeyArguments& key, const Uuid& id, TimestampTz now) {
    static Query query(
        "UPDATE loyalty.holds SET state = 'rolled_back', ended_at = $4 WHERE member = $1 AND program = $2 AND id = $3",
        {TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID});
    query.run({key.member, key.program, uuid_argument(id), timestamp_argument(now)}, true);
}

}  // namespace

MadeHold make_hold(const Hold& hold) {
    return naming_damage(hold.key, [&] { return Holder(hold).run(); });
}

bool roll_back(const AccountKey& key, const Uuid& hold) {
    const KeyArguments arguments(key);
    const TimestampTz moment = now();
    AccountQuestion question;
    question.now = question.until = moment;
    AccountState state = lock_account(key, arguments, question);
    const std::string found = read_state(arguments, hold);
    if (found == "committed") {
        throw Error(sqlstate::hold_ended, "hold " + show(hold) + " was committed", {},
                    "Cancel the transaction that it became with loyalty_cancel().");
    }
    const bool is_open = found == "open";
    if (is_open) {
        naming_damage(
            key, [&] { state.account.release(read_reserved(arguments, hold, state.terms.scale, state.account)); });
        end_rolled_back(arguments, hold, moment);
        give_back_use(key.member, key.program, hold, moment);
    }
    state.account.expire(moment);
    write_account(key, arguments, state, moment, std::nullopt);
    judge_after_booking(key, arguments, state.terms, state.account, moment);
    return is_open;
}

}  // namespace loyalty::pg

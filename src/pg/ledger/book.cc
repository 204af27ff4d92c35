#include "pg/ledger/amounts.hpp"
#include "pg/ledger/booker.hpp"
#include "pg/ledger/refusals.hpp"
#include "pg/server/clock.hpp"

namespace loyalty::pg {

using namespace ledger;

namespace {

// How many lots of an account a redemption looks at first; most need one or two of what may be thousands.
constexpr std::int64_t first_lots = 4;

}  // namespace

Booker::Booker(const Posting& posting, const KeyArguments& key, AccountState& state)
    : posting_(posting),
      type_(read_type(posting.type)),
      key_(key),
      now_(now()),
      created_at_(posting.created_at.value_or(now_)),
      state_(state) {}

Booking Booker::run() {
    check_form(posting_);
    state_ = lock_account(posting_.key, key_, question());
    const auto own = decide();
    if (own) write(*own);
    if (use_) count_use(*use_, booking_.id);
    if (is_cancel() && !booking_.repeated) give_back_undone();
    return std::move(booking_);
}

Decision Booker::run_in_memory(std::vector<Uuid>& ids) {
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

// What was due has its entries even where the posting is refused then.
void Booker::name_entries(std::vector<Uuid>& ids) const {
    while (ids.size() < state_.account.entries().size()) ids.push_back(make_uuid());
}

Booker::Place Booker::decide() {
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

void Booker::write(std::size_t own) {
    booking_.id = write_account(posting_.key, key_, state_, now_,
                                OwnRow{own, posting_.source_type, posting_.source, posting_.promotion});
    Terms terms = terms_;
    terms.judges_dynamic = terms.judges_dynamic && !posting_.of_order;
    judge_after_booking(posting_.key, key_, terms, state_.account, now_);
    const bool is_credited = is_credit(type_) || type_ == Type::refund;
    if (terms.has_goal && is_credited) claim_automatic_goal(posting_.key, terms);
}

bool Booker::is_bound_by_rules() const {
    const bool is_of_order = posting_.by_owner && posting_.source_type == "order";
    return posting_.promotion && !posting_.hold && !is_of_order &&
           (type_ == Type::accrual || type_ == Type::redemption);
}

void Booker::bind_by_rules() {
    const bool is_accrual = type_ == Type::accrual;
    use_.emplace(TriggerUse{posting_.key, *posting_.promotion, is_accrual ? value_ : 0, terms_.scale});
    require_use(*use_, now_);
    require_rule(posting_.key, *posting_.promotion, is_accrual, value_, terms_.scale);
}

void Booker::give_back_undone() const {
    static Query query(
        "SELECT coalesce(hold, id) FROM loyalty.transactions"
        " WHERE member = $1 AND program = $2 AND point_type = $3 AND seq = $4 AND promotion IS NOT NULL",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID});
    const FreshSnapshot snapshot;
    const Rows rows =
        query.run({key_.member, key_.program, key_.point_type, optional_bigint_argument(posting_.undoes)});
    if (rows.size() > 0) give_back_use(posting_.key.member, posting_.key.program, uuid_at(rows, 0, 1), now_);
}

AccountQuestion Booker::question() const {
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
void Booker::read_enough_lots() {
    AccountQuestion more = question();
    while (std::ssize(state_.account.lots()) >= *more.limit && state_.account.active(now_) < value_) {
        *more.limit *= 16;
        read_account(key_, more, state_);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The verbs

Booker::Place Booker::post() {
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

Booker::Place Booker::post_credit() {
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
void Booker::require_first_initial() const {
    static Query query(
        "SELECT FROM loyalty.all_transactions"
        " WHERE member = $1 AND program = $2 AND point_type = $3 AND type = 'initial'",
        {TEXTOID, TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    if (query.run({key_.member, key_.program, key_.point_type}).size() == 0) return;
    throw Error(sqlstate::initial_exists,
                "member \"" + posting_.key.member + "\" has had the initial balance of point type \"" +
                    posting_.key.point_type + "\"",
                {}, "It is granted once in a lifetime; book an accrual.");
}

Booker::Place Booker::post_redemption() {
    require_usable(terms_, posting_.key, now_);
    Account& account = state_.account;
    if (!all_lots_read_) read_enough_lots();
    account.expire(now_);
    if (account.active(now_) < value_) fail_insufficient(account, value_, now_, terms_.scale, posting_.key);
    return account.redeem(value_, created_at_, now_);
}

Booker::Place Booker::post_write_off() {
    if (value_ > state_.account.owed) {
        throw Error(sqlstate::more_than_left, "more would be written off than is owed",
                    "Owed are " + show_points(state_.account.owed, terms_.scale) + ".");
    }
    state_.account.expire(now_);
    return state_.account.write_off(value_, created_at_);
}

Booking book(const Posting& posting) {
    const KeyArguments key(posting.key);
    AccountState state;
    return naming_damage(posting.key, [&] { return Booker(posting, key, state).run(); });
}

Decision decide(const Posting& posting, const KeyArguments& key, AccountState& state, std::vector<Uuid>& ids) {
    return naming_damage(posting.key, [&] { return Booker(posting, key, state).run_in_memory(ids); });
}

}  // namespace loyalty::pg

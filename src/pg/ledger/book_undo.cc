#include "pg/ledger/amounts.hpp"
#include "pg/ledger/booker.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

using namespace ledger;

namespace {

bool is_redemption(std::string_view type) { return type == "redemption"; }
bool is_earned(std::string_view type) { return type == "accrual" || type == "initial"; }

}  // namespace

void Booker::fail_undone(const std::string& found) const {
    throw Error(sqlstate::unknown_transaction,
                "transaction " + std::to_string(*posting_.undoes) + " of the account is no " +
                    (type_ == Type::refund ? "redemption" : "accrual or initial"),
                found.empty() ? "It does not exist." : "It is of type " + found + ".",
                type_ == Type::refund ? "A refund gives back a redemption of the same account."
                                      : "A reversal takes back an accrual of the same account.");
}

void Booker::refuse_row_of(const std::optional<std::string>& source_type) const {
    const bool is_of_goal = source_type == "goal";
    if (!is_of_goal && (source_type != "order" || posting_.of_order)) return;
    throw Error(sqlstate::cannot_be_cancelled,
                "transaction " + std::to_string(*posting_.undoes) + " of the account was booked by " +
                    (is_of_goal ? "a goal" : "an order"),
                {},
                is_of_goal ? "What a goal gave is not taken back; book an accrual to make good for it."
                           : "Use loyalty_cancel_order() or loyalty_return_items().");
}

void Booker::find_archived(bool (*fits)(std::string_view type)) {
    static Query query(
        "SELECT t.type, t.source_type,"
        "       (SELECT c.id FROM loyalty.all_transactions c"
        "         WHERE c.member = $1 AND c.program = $2 AND c.point_type = $3 AND c.undoes = $4"
        "             AND c.source_type = 'cancel')"
        "  FROM loyalty.all_transactions t WHERE t.member = $1 AND t.program = $2 AND t.point_type = $3 AND t.seq = $4",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID});
    const Rows rows = query.run({key_.member, key_.program, key_.point_type, bigint_argument(*posting_.undoes)});
    ColumnsInTurn column(rows);
    const std::string type = rows.size() == 0 ? "" : column.text();
    if (!fits(type)) fail_undone(type);
    refuse_row_of(column.optional_text());
    const auto cancelled_by = column.optional_uuid();
    if (is_cancel() && cancelled_by) {
        booking_.repeated = cancelled_by;
        return;
    }
    throw Error(sqlstate::archived,
                "transaction " + std::to_string(*posting_.undoes) + " of the account was archived",
                "What is archived is not undone any more.",
                type_ == Type::refund ? "Book an accrual that gives the points back."
                                      : "Book a redemption that takes the points.");
}

bool Booker::settle_amount(Units left, const std::optional<Uuid>& cancelled_by) {
    if (is_cancel() && cancelled_by) {
        booking_.repeated = cancelled_by;
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

Booker::Place Booker::post_refund() {
    static Query query(
        "SELECT t.type, t.source_type, -t.value,"
        "       (SELECT coalesce(sum(r.value), 0) FROM loyalty.transactions r"
        "         WHERE r.member = $1 AND r.program = $2 AND r.point_type = $3 AND r.seq > $4 AND r.undoes = $4),"
        "       (SELECT c.id FROM loyalty.transactions c"
        "         WHERE c.member = $1 AND c.program = $2 AND c.point_type = $3 AND c.undoes = $4"
        "             AND c.source_type = 'cancel')"
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
    if (rows.size() == 0) {
        find_archived(is_redemption);
        return std::nullopt;
    }
    ColumnsInTurn column(rows);
    const std::string type = column.text();
    if (!is_redemption(type)) fail_undone(type);
    refuse_row_of(column.optional_text());
    Redemption redemption;
    redemption.seq = *posting_.undoes;
    const Units spent = column.units(terms_.scale);
    redemption.refunded = column.units(terms_.scale);
    if (!settle_amount(spent - redemption.refunded, column.optional_uuid())) return std::nullopt;
    column.end();
    if (!terms_.refund_allowed && !is_cancel()) {
        throw Error(sqlstate::refund_not_allowed,
                    "points of type \"" + posting_.key.point_type + "\" are not refunded", {},
                    "An erroneous redemption can be cancelled with loyalty_cancel().");
    }
    Account& account = state_.account;
    const Rows lots = consumption.run({key_.member, key_.program, key_.point_type, undoes});
    for (std::uint64_t row = 0; row < lots.size(); row++) {
        ColumnsInTurn lot_column(lots, row);
        const Lot lot = read_lot(lot_column, terms_.scale).value();
        redemption.consumption.push_back({lot.seq, lot_column.units(terms_.scale)});
        account.add(lot);
    }
    account.sort();
    account.expire(now_);
    return account.refund(redemption, value_, created_at_, now_);
}

Booker::Place Booker::post_reversal() {
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

bool Booker::read_claim(Claim& claim) {
    static Query query(
        "SELECT t.type, t.source_type, t.value, undone.claimed, undone.lapsed,"
        "       (SELECT coalesce(sum(-x.value), 0) FROM loyalty.transactions x"
        "         WHERE x.member = $1 AND x.program = $2 AND x.point_type = $3 AND x.seq > $4 AND x.lot = $4)"
        "       + (SELECT coalesce(sum(-m.value), 0) FROM loyalty.lot_movements m"
        "            JOIN loyalty.transactions x USING (member, program, point_type, seq)"
        "           WHERE m.member = $1 AND m.program = $2 AND m.point_type = $3 AND m.seq > $4 AND m.lot = $4"
        "               AND x.type = 'reset'),"
        "       (SELECT c.id FROM loyalty.transactions c"
        "         WHERE c.member = $1 AND c.program = $2 AND c.point_type = $3 AND c.undoes = $4"
        "             AND c.source_type = 'cancel'),"
        "       l.seq, l.remaining, l.held, l.active_from, l.expires_at"
        "  FROM loyalty.transactions t"
        "  LEFT JOIN loyalty.lots l ON l.member = $1 AND l.program = $2 AND l.point_type = $3 AND l.seq = $4"
        " CROSS JOIN (SELECT coalesce(sum(-r.value + greatest(r.owed, 0) + r.lapsed), 0) AS claimed,"
        "     coalesce(sum(r.lapsed), 0) AS lapsed"
        "               FROM loyalty.transactions r"
        "              WHERE r.member = $1 AND r.program = $2 AND r.point_type = $3 AND r.seq > $4"
        "                  AND r.undoes = $4) undone"
        " WHERE t.member = $1 AND t.program = $2 AND t.point_type = $3 AND t.seq = $4",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key_.member, key_.program, key_.point_type, bigint_argument(*posting_.undoes)});
    if (rows.size() == 0) {
        find_archived(is_earned);
        return false;
    }
    ColumnsInTurn column(rows);
    const std::string type = column.text();
    if (!is_earned(type)) fail_undone(type);
    refuse_row_of(column.optional_text());
    const Units earned = column.units(terms_.scale), claimed = column.units(terms_.scale),
                lapsed = column.units(terms_.scale), gone = column.units(terms_.scale);
    if (!settle_amount(earned - claimed, column.optional_uuid())) return false;
    Account& account = state_.account;
    if (const auto lot = read_lot(column, terms_.scale)) account.add(*lot);
    column.end();
    account.sort();
    account.expire(now_);
    claim.accrual = posting_.undoes;
    claim.lapsed = gone - lapsed;
    for (const auto& entry : account.entries()) {
        if (entry.lot == posting_.undoes) claim.lapsed -= entry.value;
    }
    return true;
}

}  // namespace loyalty::pg

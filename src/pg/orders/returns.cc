#include "pg/orders/returns.hpp"

#include <algorithm>

#include "pg/events/outbox.hpp"
#include "pg/orders/buyers.hpp"
#include "pg/orders/giving_back.hpp"
#include "pg/orders/promo_codes.hpp"
#include "pg/orders/status.hpp"
#include "pg/orders/usage.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

std::string shown(Quantity quantity) { return Decimal::of(quantity.units, quantity_scale).to_string(); }

}  // namespace

Datum GivingBack::run() {
    read_lines();
    choose_units();
    shipping_ = gives_shipping();
    check_not_empty();
    read_points();
    read_accruals();
    store_lines();
    book_refunds();
    book_reversals();
    if (!any_left()) give_back_promo_codes(order_.key);
    give_back_uses(order_.key, any_left());
    if (!given_.status.empty()) move_to_status(order_, given_.status, given_.line);
    if (!given_.status.empty() && !given_.line) {
        recount_buyer(order_.key);
    } else {
        take_from_buyer(order_.key, money_, order_.currency_scale);
    }
    find_gifts_to_hand_back();
    const Datum answer = write_answer();
    store_return(answer);
    const bool whole = given_.kind == Return::Kind::cancellation && !given_.line;
    add_event(order_.key.program, whole ? "order_cancelled" : "items_returned", order_.key.profile(), answer);
    judge_buyer(order_.key, *order_.current.live);
    return answer;
}

// ---------------------------------------------------------------------------------------------------------------------
// Which units

void GivingBack::read_lines() {
    static Query query(
        "SELECT line, quantity, returned, total, CASE WHEN gift THEN product END FROM loyalty.order_lines"
        " WHERE buyer = $1 AND program = $2 AND order_id = $3 ORDER BY line",
        {TEXTOID, TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn column(rows, row);
        SoldLine line;
        line.id = column.text();
        line.quantity = {column.units(quantity_scale)};
        line.returned = {column.units(quantity_scale)};
        line.total = {column.units(order_.currency_scale)};
        line.gift = column.optional_text().value_or("");
        column.end();
        lines_.push_back(std::move(line));
    }
}

SoldLine& GivingBack::find(const std::string& id) {
    const auto found =
        std::lower_bound(lines_.begin(), lines_.end(), id,
                         [](const SoldLine& line, const std::string& wanted) { return line.id < wanted; });
    if (found == lines_.end() || found->id != id) fail_unknown_line(order_, id);
    return *found;
}

void GivingBack::choose_units() {
    if (given_.kind != Return::Kind::items) {
        for (auto& line : lines_) {
            if (!given_.line || line.id == *given_.line) line.taken = line.left();
        }
        return;
    }
    for (const auto& item : given_.items) {
        SoldLine& line = find(item.line);
        if (item.quantity > line.left()) fail_more_than_left(line, item.quantity);
        line.taken = item.quantity;
    }
}

void GivingBack::fail_more_than_left(const SoldLine& line, Quantity wanted) const {
    throw Error(sqlstate::more_than_sold, "more units would come back than are left",
                "Of line \"" + line.id + "\" of " + order_.shown() + " " + shown(line.left()) +
                    " are left, returned are " + shown(wanted) + ".",
                "Sold were " + shown(line.quantity) + ".");
}

bool GivingBack::gives_shipping() const {
    if (!given_.shipping || !order_.shipping_refunded) return given_.shipping;
    if (given_.kind != Return::Kind::items) return false;
    throw Error(sqlstate::more_than_sold, "the shipping of " + order_.shown() + " was given back before", {},
                "It is given back once.");
}

void GivingBack::check_not_empty() const {
    if (given_.kind == Return::Kind::items && given_.items.empty() && !shipping_) {
        throw Error(sqlstate::empty_return, "nothing is returned", {}, "Give lines, or the shipping.");
    }
}

bool GivingBack::any_left() const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [](const SoldLine& line) { return line.gift.empty() && line.left() > line.taken; });
}

const SoldLine* GivingBack::taken_line(const std::string& id) const {
    const auto found =
        std::lower_bound(lines_.begin(), lines_.end(), id,
                         [](const SoldLine& line, const std::string& wanted) { return line.id < wanted; });
    if (found == lines_.end() || found->id != id) {
        throw Error(sqlstate::data_corrupted, "line \"" + id + "\" of " + order_.shown() + " is not stored", {},
                    "See SELECT * FROM loyalty_verify().");
    }
    return found->taken.is_zero() ? nullptr : &*found;
}

Datum give_back(const LockedOrder& order, const Return& given) { return GivingBack(order, given).run(); }

}  // namespace loyalty::pg

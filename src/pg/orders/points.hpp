// Points of orders in the ledger: paid with, earned, given and taken back. What is booked carries the source type
// "order".
#pragma once

#include "core/calculate/calculate.hpp"

#include <string>
#include <vector>

#include "pg/ledger/book.hpp"
#include "pg/orders/store.hpp"
#include "pg/server/jsonb.hpp"

namespace loyalty::pg {

// A row that an order has booked in the ledger.
struct BookedPoints {
    std::string point_type;
    std::string type;
    Booking booking;
};

using BookedRows = std::vector<BookedPoints>;

// Books it as the order's. The posting needs point type, type and value only.
BookedPoints post_for(const OrderKey& order, Posting posting);

// What an order that is being placed paid with points, and what it earned, as rows of order_points and order_accruals.
// Both are booked first, so that each row is written once.
struct PlacedPayments {
    std::vector<std::string> point_types;
    std::vector<std::optional<std::string>> lines;  // nothing: the shipping
    std::vector<std::int64_t> money;
    std::vector<Datum> points;  // numeric
    std::vector<std::optional<std::int64_t>> seqs;
};
struct PlacedAccruals {
    std::vector<std::int64_t> numbers;
    std::vector<std::string> promotions, point_types, levels, credit_on;
    std::vector<std::optional<std::string>> lines, delays;
    std::vector<Datum> points;  // numeric
    std::vector<std::optional<std::int64_t>> seqs;
};

// Spends the points that the order is paid with, and attributes them to its lines and its shipping by the money that
// they paid there, by largest remainder.
PlacedPayments spend_points(const OrderKey& order, const Program& program, const Order& resolved,
                            const Calculation& calculation, BookedRows& booked);

// Credits what is due with the status that the order is placed with.
PlacedAccruals earn_points(const OrderKey& order, const Program& program, const Order& resolved,
                           const Calculation& calculation, const std::string& status, BookedRows& booked);

// Credits the accruals that wait for a status which the order, or their line, has reached. Those whose point type was
// deactivated meanwhile, or whose member was removed, are dropped for good, with an event.
void credit_accruals(const OrderKey& order, const Market& market, BookedRows& booked);

// The rows as an array of objects; times are shown in the time zone.
void write_booked(JsonbWriter& out, const BookedRows& booked, const std::string& time_zone);

}  // namespace loyalty::pg

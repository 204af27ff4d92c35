// Points of orders in the ledger: paid with, earned, given and taken back. What is booked carries the source type
// "order".
#pragma once

#include "core/calculate/calculate.hpp"

#include <map>
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

// Points that a calculation accrues, at once or with a status.
struct Earning {
    std::int32_t number = 0;  // of the operation, from 1
    Index promotion = none;
    Level level = Level::product;
    Index point_type = none;
    std::uint32_t line = no_line;
    Points points;
    bool pending = false;
    std::string_view credit_on;  // what it waits for, if it does
    std::string delay;           // until it becomes active, as an interval; empty: none
};
std::vector<Earning> earnings_of(const Program& program, const Calculation& calculation);

// Points that a calculation spends, by their type and the line that they are attributed to; no_line: the shipping.
std::map<std::uint32_t, std::map<std::uint32_t, std::int64_t>> spent_by_line(const Program& program,
                                                                             const Calculation& calculation);

// What is credited now becomes active so long after `from`, by the calendar of the program's zone.
TimestampTz delayed(const std::string& delay, const std::string& time_zone, TimestampTz from);

// An accrual that is due: its status was reached.
struct DueAccrual {
    std::int32_t number = 0;
    std::string promotion, point_type;
    int scale = 0;
    std::int64_t points = 0;
    std::optional<TimestampTz> active_from;
    std::string_view refusal;  // why it is dropped instead; empty: it is not
};

// What is booked, or dropped, as one: points of one promotion that become active at one moment.
struct AccrualSum {
    const DueAccrual* first = nullptr;
    std::int64_t points = 0;
    std::vector<std::int32_t> numbers;
};
std::vector<AccrualSum> sums_of(const std::vector<DueAccrual>& due);

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

// An order that is placed, as it is written: into all of its tables by one statement.
#pragma once

#include "pg/orders/points.hpp"
#include "pg/orders/quote.hpp"

namespace loyalty::pg {

struct PlacedOrder {
    const OrderKey& key;
    const Quote& quote;
    const std::string& status;
    Datum request, resolved, result, confirmation;  // jsonb
    const PlacedPayments& payments;
    const PlacedAccruals& accruals;
};

// Its id was claimed, its points are booked. Error LY521 where a trigger of the owner's drops the order.
void write_placed(const PlacedOrder& order);

}  // namespace loyalty::pg

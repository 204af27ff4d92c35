// What is told of bookings: an event of each row of the ledger, points_expired or points_booked, with the same data
// whether one account is booked on or many.
#pragma once

#include "pg/events/outbox.hpp"
#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// For statements that book for many members: inserts the events of the rows of a relation that has the columns of
// loyalty.transactions, those of an account in the order of booking.
inline const std::string tell_of_booked =
    " INSERT INTO loyalty.events (program, type, profile, data)"
    " SELECT b.program, CASE b.type WHEN 'expiration' THEN 'points_expired' ELSE 'points_booked' END, b.member,"
    "        jsonb_build_object('points', b.point_type, 'type', b.type, 'value', b.value, 'balance', b.balance_after,"
    "                           'transaction', b.id)"
    "   FROM booked b ORDER BY b.member, b.point_type, b.seq";

// For the entries of one account, whose rows have these ids.
void tell_booked(const AccountKey& key, const ledger::Account& account, int scale, const std::vector<Uuid>& ids,
                 const std::optional<OwnRow>& own);

// What is told of one entry; `own` where it is a caller's.
Event booked_event(const AccountKey& key, const ledger::Entry& entry, int scale, const Uuid& id, const OwnRow* own);

}  // namespace loyalty::pg

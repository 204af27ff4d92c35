// NOTIFY loyalty, for transactions that wrote events.
//
// A commit that notifies holds a lock of the server's until it is on disk, so where each does, they come one after the
// other, and nothing is left of committing in groups: bookings by eight sessions took three times as long (measured).
// But readers do not ask whose event it was that woke them. So of those that come to their commit while another
// notifies only one waits to notify next, and those that come meanwhile go ahead without: they are at their commit when
// the one that waits has yet to begin its own. Nothing holds it back for them, so it is a hint: readers look from time
// to time as well.
#include "pg/server/settings.hpp"
#include "pg/server/trigger.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/async.h"
#include "commands/trigger.h"
#include "storage/lock.h"
#include "utils/rel.h"
}

namespace loyalty::pg {

namespace {

// The table of events, while the transaction has written there and has not ended.
Oid written = InvalidOid;

LOCKTAG lock_of(std::uint16_t place) {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId, written, place);
    return tag;
}

void notify() {
    const LOCKTAG at_work = lock_of(1);
    const LOCKTAG next = lock_of(2);
    if (LockAcquire(&next, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL) return;
    LockAcquire(&at_work, ExclusiveLock, false, false);
    LockRelease(&next, ExclusiveLock, false);
    Async_Notify("loyalty", "");
}

// Called by the server: no exception may leave it. A transaction that is prepared for a commit in two phases wakes
// nobody, for the server refuses to prepare one that has notified.
void at_end_of_transaction(XactEvent event, void*) {
    if (event == XACT_EVENT_PRE_COMMIT && OidIsValid(written) && settings::notify) notify();
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) written = InvalidOid;
}

void remember(Oid table) {
    static bool registered = false;
    if (!registered) RegisterXactCallback(at_end_of_transaction, nullptr);
    registered = true;
    written = table;
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_notify_trigger);
Datum loyalty_notify_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.notify_trigger");
        trigger.require(trigger.is_after() && !trigger.is_for_row(), "AFTER INSERT ... FOR EACH STATEMENT");
        const Oid table = RelationGetRelid(trigger->tg_relation);
        postgres([=] { remember(table); });
        return no_row;
    });
}
}

// INSERT INTO loyalty.members is enrolment: who is inserted without enrolled_at has a profile, and gets what enrolling
// gives once the statement has put the rows there. A row that says since when it is enrolled is taken as it stands:
// this is the way of restores and of replication, which bring balances, tiers and events of their own.
#include <map>
#include <set>

#include "pg/enrolment/enrolment.hpp"
#include "pg/events/outbox.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/trigger.hpp"

extern "C" {
#include "access/htup_details.h"
}

namespace loyalty::pg {

namespace {

struct Key {
    std::string member, program;
    auto operator<=>(const Key&) const = default;
};

// Who is being enrolled by statements that have not come to their end. A row may still be dropped, by ON CONFLICT or a
// trigger of the user's own, and so may all that a subtransaction did.
class Applicants {
public:
    // Whether it is the first of its subtransaction.
    bool add(Key key) {
        auto& keys = keys_[GetCurrentSubTransactionId()];
        keys.insert(std::move(key));
        return keys.size() == 1;
    }
    bool empty() const { return keys_.empty(); }

    // Those of this subtransaction; the others' statements have failed, or are those around this one.
    std::set<Key> take() {
        auto taken = keys_.extract(GetCurrentSubTransactionId());
        return taken ? std::move(taken.mapped()) : std::set<Key>();
    }

    static Applicants& instance() {
        static Applicants applicants;
        static const bool registered = [] {
            postgres([] { RegisterXactCallback(forget, nullptr); });
            return true;
        }();
        static_cast<void>(registered);
        return applicants;
    }

private:
    static void forget(XactEvent event, void*) {
        if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
            instance().keys_.clear();
    }

    std::map<SubTransactionId, std::set<Key>> keys_;
};

HeapTuple before_row(const OwnTrigger& trigger) {
    const TupleDesc description = trigger.row();
    const HeapTuple tuple = trigger->tg_trigtuple;
    const auto text = [&](const char* column) {
        const int number = column_of(description, column, TEXTOID);
        bool is_null;
        const Datum value = heap_getattr(tuple, number, description, &is_null);
        return is_null ? std::string() : text_of(value);
    };
    if (Applicants::instance().add({text("member"), text("program")})) {
        const AsOwner owner = AsOwner::by_trigger();
        const Spi connection;
        prepare_outbox();
    }
    const Datum moment = TimestampTzGetDatum(now());
    const int number = column_of(description, "enrolled_at", TIMESTAMPTZOID);
    return postgres([=] {
        int column = number;
        Datum value = moment;
        bool is_null = false;
        return heap_modify_tuple_by_cols(tuple, description, 1, &column, &value, &is_null);
    });
}

struct Applications {
    std::vector<std::string> members;
    std::vector<TimestampTz> registered;
};

// Of the rows that have arrived those that ask for enrolment, by their programs.
std::map<std::string, Applications> arrived(TriggerData* trigger, const std::set<Key>& applicants) {
    const auto [table, count] = postgres([=] {
        SPI_register_trigger_data(trigger);
        if (SPI_execute("SELECT member, program, registered_at FROM written ORDER BY member", true, 0) != SPI_OK_SELECT)
            elog(ERROR, "loyalty_internal.members_trigger: the rows written cannot be read");
        return std::pair(SPI_tuptable, SPI_processed);
    });
    const Rows rows(table, count);
    std::map<std::string, Applications> found;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        Key key{columns.text(), columns.text()};
        if (!applicants.contains(key)) continue;
        Applications& applications = found[key.program];
        applications.members.push_back(std::move(key.member));
        applications.registered.push_back(columns.timestamp());
    }
    return found;
}

void after_statement(TriggerData* trigger) {
    auto& pending = Applicants::instance();
    if (pending.empty()) return;
    const std::set<Key> applicants = pending.take();
    const AsOwner owner = AsOwner::by_trigger();
    const Spi connection;
    for (const auto& [program, applications] : arrived(trigger, applicants)) {
        const ProfileDatabase profiles = load_profile_database(program);
        require_active(profiles);
        const FreshSnapshot snapshot;
        require_profiles(profiles, applications.members, current_caller());
        welcome(profiles, applications.members, applications.registered, now());
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_members_trigger);
Datum loyalty_members_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.members_trigger");
        trigger.require(trigger.is_insert() && trigger.is_before() == trigger.is_for_row() &&
                            (trigger.is_before() || trigger->tg_newtable),
                        "BEFORE INSERT ... FOR EACH ROW, and AFTER INSERT ... REFERENCING NEW TABLE AS written");
        if (trigger.is_before()) return PointerGetDatum(before_row(trigger));
        after_statement(trigger.data());
        return no_row;
    });
}
}

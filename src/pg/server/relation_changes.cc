#include "pg/server/relation_changes.hpp"

#include <vector>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

namespace {

struct Listener {
    void (*changed)(Datum, Oid);
    Datum argument;
};

std::vector<Listener>& listeners() {
    static std::vector<Listener> instance;
    return instance;
}

void pass_on(Datum, Oid relation) {
    for (const Listener& listener : listeners()) listener.changed(listener.argument, relation);
}

}  // namespace

void hear_of_changes(void (*changed)(Datum, Oid), Datum argument) {
    static const bool registered = [] {
        postgres([] { CacheRegisterRelcacheCallback(pass_on, 0); });
        return true;
    }();
    static_cast<void>(registered);
    listeners().push_back({changed, argument});
}

}  // namespace loyalty::pg

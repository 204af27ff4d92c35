#include "pg/ledger/events.hpp"

#include "pg/server/jsonb.hpp"

namespace loyalty::pg {

namespace {

void write_optional(JsonbWriter& data, std::string_view key, const std::optional<std::string>& text) {
    if (!text) return;
    data.key(key);
    data.text(*text);
}

}  // namespace

Event booked_event(const AccountKey& key, const ledger::Entry& entry, int scale, const Uuid& id, const OwnRow* own) {
    JsonbWriter data;
    data.begin_object();
    data.key("points");
    data.text(key.point_type);
    data.key("type");
    data.text(name_of(entry.type));
    data.key("value");
    data.number(entry.value, scale);
    data.key("balance");
    data.number(entry.after, scale);
    data.key("transaction");
    data.text(data.keep(show(id)));
    if (entry.source == ledger::Source::settlement) write_optional(data, "source_type", "settlement");
    if (own) {
        write_optional(data, "source_type", own->source_type);
        write_optional(data, "source", own->source);
        write_optional(data, "promotion", own->promotion);
    }
    data.end_object();
    return {entry.type == ledger::Type::expiration ? "points_expired" : "points_booked", data.take()};
}

void tell_booked(const AccountKey& key, const ledger::Account& account, int scale, const std::vector<Uuid>& ids,
                 const std::optional<OwnRow>& own) {
    std::vector<Event> events;
    for (std::size_t i = 0; i < ids.size(); i++)
        events.push_back(
            booked_event(key, account.entries()[i], scale, ids[i], own && i == own->entry ? &*own : nullptr));
    add_events(key.program, key.member, events);
}

}  // namespace loyalty::pg

#include "pg/events/outbox.hpp"

#include "pg/server/values.hpp"

namespace loyalty::pg {

void add_events(const std::string& program, const std::optional<std::string>& profile,
                const std::vector<Event>& events) {
    static Query query(
        "INSERT INTO loyalty.events (program, profile, type, data)"
        " SELECT $1, $2, e.type, e.data FROM unnest($3::text[], $4::jsonb[]) e (type, data)",
        {TEXTOID, TEXTOID, TEXTARRAYOID, JSONBARRAYOID});
    if (events.empty()) return;
    if (events.size() == 1) return add_event(program, events[0].type, profile, events[0].data);
    std::vector<std::string> types;
    std::vector<Datum> data;
    for (const auto& event : events) {
        types.emplace_back(event.type);
        data.push_back(event.data);
    }
    query.run({text_argument(program), optional_text_argument(profile), texts_argument(types), jsonbs_argument(data)},
              true);
}

// A statement of its own, for it is the most frequent by far: of arrays it would take half as long again.
void add_event(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
               Datum data) {
    static Query query("INSERT INTO loyalty.events (program, profile, type, data) VALUES ($1, $2, $3, $4)",
                       {TEXTOID, TEXTOID, TEXTOID, JSONBOID});
    query.run({text_argument(program), optional_text_argument(profile), text_argument(type), {data, false}}, true);
}

}  // namespace loyalty::pg

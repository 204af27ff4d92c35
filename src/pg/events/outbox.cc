#include "pg/events/outbox.hpp"

#include "pg/server/values.hpp"

namespace loyalty::pg {

namespace {

void write(const std::string& program, std::string_view type, const std::optional<std::string>& profile, Datum data) {
    // A statement of its own, for it is the most frequent by far: of arrays it would take half as long again.
    static Query query("INSERT INTO loyalty.events (program, profile, type, data) VALUES ($1, $2, $3, $4)",
                       {TEXTOID, TEXTOID, TEXTOID, JSONBOID});
    query.run({text_argument(program), optional_text_argument(profile), text_argument(type), {data, false}}, true);
}

void write(const std::string& program, const std::optional<std::string>& profile, const std::vector<Event>& events) {
    static Query query(
        "INSERT INTO loyalty.events (program, profile, type, data)"
        " SELECT $1, $2, e.type, e.data FROM unnest($3::text[], $4::jsonb[]) e (type, data)",
        {TEXTOID, TEXTOID, TEXTARRAYOID, JSONBARRAYOID});
    if (events.empty()) return;
    if (events.size() == 1) return write(program, events[0].type, profile, events[0].data);
    std::vector<std::string> types;
    std::vector<Datum> data;
    for (const auto& event : events) {
        types.emplace_back(event.type);
        data.push_back(event.data);
    }
    query.run({text_argument(program), optional_text_argument(profile), texts_argument(types), jsonbs_argument(data)},
              true);
}

}  // namespace

void add_events(const std::string& program, const std::optional<std::string>& profile,
                const std::vector<Event>& events) {
    std::vector<Event> others;
    for (const auto& event : events) {
        if (Silence::covers(event.type)) continue;
        if (!EventBatch::takes(program, event.type, profile, event.data)) others.push_back(event);
    }
    write(program, profile, others);
}

void add_events_of_many(const std::string& program, const std::vector<std::string>& profiles,
                        const std::vector<Event>& events) {
    static Query query(
        "INSERT INTO loyalty.events (program, profile, type, data)"
        " SELECT $1, e.profile, e.type, e.data FROM unnest($2::text[], $3::text[], $4::jsonb[]) e (profile, type,"
        "     data)",
        {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID});
    if (events.empty()) return;
    EventBatch::flush();
    std::vector<std::string> types;
    std::vector<Datum> data;
    for (const auto& event : events) {
        types.emplace_back(event.type);
        data.push_back(event.data);
    }
    query.run({text_argument(program), texts_argument(profiles), texts_argument(types), jsonbs_argument(data)}, true);
}

void add_event(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
               Datum data) {
    if (Silence::covers(type)) return;
    if (!EventBatch::takes(program, type, profile, data)) write(program, type, profile, data);
}

EventBatch::EventBatch(std::string program, std::optional<std::string> profile)
    : program_(std::move(program)), profile_(std::move(profile)), memory_(CurrentMemoryContext), outer_(current) {
    current = this;
}

EventBatch::~EventBatch() { current = outer_; }

bool EventBatch::takes(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
                       Datum data) {
    if (!current || current->program_ != program || current->profile_ != profile) {
        flush();
        return false;
    }
    const MemoryContext memory = current->memory_;
    const Datum kept = postgres([=] {
        const MemoryContext before = MemoryContextSwitchTo(memory);
        const Datum copy = datumCopy(data, false, -1);
        MemoryContextSwitchTo(before);
        return copy;
    });
    current->events_.push_back({std::string(type), kept});
    return true;
}

void EventBatch::flush() {
    if (!current || current->events_.empty()) return;
    const std::vector<Gathered> gathered = std::move(current->events_);
    current->events_.clear();
    std::vector<Event> events;
    for (const auto& event : gathered) events.push_back({event.type, event.data});
    write(current->program_, current->profile_, events);
}

}  // namespace loyalty::pg

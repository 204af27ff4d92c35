#include "pg/outbox.hpp"

#include "pg/values.hpp"

namespace loyalty::pg {

void add_event(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
               Datum data) {
    static Query query("INSERT INTO loyalty.events (program, type, profile, data) VALUES ($1, $2, $3, $4)",
                       {TEXTOID, TEXTOID, TEXTOID, JSONBOID});
    query.run({text_argument(program), text_argument(type), optional_text_argument(profile), {data, false}}, true);
}

}  // namespace loyalty::pg

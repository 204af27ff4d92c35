#include "pg/ledger/named.hpp"

#include "pg/server/spi.hpp"

namespace loyalty::pg {

bool lock_named(const std::string& program, const std::set<std::string>& promotions,
                const std::set<std::string>& point_types) {
    static Query query(
        "SELECT (SELECT count(*) FROM (SELECT FROM loyalty.promotions"
        "                               WHERE program = $1 AND external_id = ANY ($2) FOR KEY SHARE) p)::integer,"
        "       (SELECT count(*) FROM (SELECT FROM loyalty.point_types"
        "                               WHERE program = $1 AND external_id = ANY ($3) FOR KEY SHARE) t)::integer",
        {TEXTOID, TEXTARRAYOID, TEXTARRAYOID});
    if (postgres([] { return IsolationUsesXactSnapshot(); })) return false;
    const auto ids = [](const std::set<std::string>& names) {
        return texts_argument(std::vector<std::string>(names.begin(), names.end()));
    };
    const Rows rows = query.run({text_argument(program), ids(promotions), ids(point_types)}, true);
    return rows.integer(0, 1) == std::ssize(promotions) && rows.integer(0, 2) == std::ssize(point_types);
}

}  // namespace loyalty::pg

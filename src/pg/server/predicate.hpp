// Judging documents by predicates of segments.
#pragma once

#include <string>
#include <vector>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// The operator @@ of jsonb and jsonpath; unknown counts as no.
bool holds(Datum predicate, Datum document);

// The document with the member "segments": the static segments that its object is listed in.
Datum with_segments(Datum document, const std::vector<std::string>& segments);

// ["a", "b"], as JSON text.
std::string json_array(const std::vector<std::string>& texts);

}  // namespace loyalty::pg

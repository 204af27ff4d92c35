// jsonb values and their JSON text, always UTF-8 on the C++ side.
#pragma once

#include <string>
#include <string_view>

#include "pg/doors.hpp"

namespace loyalty::pg {

// The longest order document that is read, in bytes of its stored form.
inline constexpr std::size_t max_document_bytes = 16 * 1024 * 1024;

// The text lives in the current memory context.
std::string_view jsonb_text(Datum jsonb);
Datum jsonb_from_text(const std::string& json);

}  // namespace loyalty::pg

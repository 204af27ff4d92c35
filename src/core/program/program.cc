#include "core/program/program.hpp"

#include <algorithm>

namespace loyalty {

std::size_t read_path(std::vector<Reads::Path>& paths, const Reads::Path& path) {
    const auto found = std::find(paths.begin(), paths.end(), path);
    const auto number = static_cast<std::size_t>(found - paths.begin());
    if (found == paths.end()) paths.push_back(path);
    return number;
}

Index Program::point_type(std::string_view wanted) const {
    for (Index i = 0; i < point_types.size(); i++) {
        if (point_types[i].id == wanted) return i;
    }
    return none;
}

namespace {

template <class List, class Name>
std::vector<Index> places(const std::vector<std::string>& names, const List& list, const Name& name_of) {
    std::vector<Index> found;
    for (Index i = 0; i < list.size(); i++) {
        if (std::find(names.begin(), names.end(), name_of(list[i])) != names.end()) found.push_back(i);
    }
    return found;
}

}  // namespace

std::vector<Index> places_of(const std::vector<std::string>& names, const std::vector<std::string>& list) {
    return places(names, list, [](const std::string& name) -> const std::string& { return name; });
}

std::vector<Index> places_of(const std::vector<std::string>& names, const std::vector<Segment>& list) {
    return places(names, list, [](const Segment& segment) -> const std::string& { return segment.id; });
}

}  // namespace loyalty

// What holds for the extent of an object, several of them nested as well, and is asked about elsewhere: class Quietly :
// public ForExtent<Quietly> {}. An error ends it, too, for it crosses C++ as an exception.
#pragma once

namespace loyalty::pg {

template <class What>
class ForExtent {
public:
    ForExtent() { depth_++; }
    ~ForExtent() { depth_--; }
    ForExtent(const ForExtent&) = delete;
    ForExtent& operator=(const ForExtent&) = delete;

    static bool holds() { return depth_ > 0; }

private:
    static inline int depth_ = 0;
};

}  // namespace loyalty::pg

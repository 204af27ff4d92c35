// Boost.JSON compiled into the library, so that nothing of Boost is needed at run time.
#include <boost/json/src.hpp>

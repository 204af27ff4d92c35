# PostgreSQL 18 with loyalty: `docker build -t loyalty .`
#
#   docker run -e POSTGRES_PASSWORD=… loyalty            a server that has the extension installed
#   docker build --target files -t loyalty-files .       the extension's files alone, as an image volume: CloudNativePG mounts
#                                                        it beside an unchanged server (extension_control_path, PostgreSQL 18)
FROM postgres:18-trixie AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ git libboost-dev make postgresql-server-dev-18
COPY . /loyalty
RUN make -C /loyalty -j "$(nproc)" && make -C /loyalty install DESTDIR=/installed

# The layout that extension_control_path and dynamic_library_path look for below one folder: share and lib.
FROM scratch AS files
COPY --from=build /installed/usr/share/postgresql/18/extension /share/extension
COPY --from=build /installed/usr/lib/postgresql/18/lib /lib

FROM postgres:18-trixie
COPY --from=build /installed/ /

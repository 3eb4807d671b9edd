#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_STEP      ((size_t)1u << 20u)
#define BLOB_BYTES_MAX ((size_t)1u << 30u)

extern char **environ;

void *memory_get(size_t bytes)
{
    void *const memory = calloc(1u, (bytes > 0u) ? bytes : 1u);

    if (memory == NULL) {
        fprintf(stderr, TOOL_NAME ": out of memory\n");
        exit(EXIT_FAILURE);
    }
    return memory;
}

void tool_become(const char *port, char **argv)
{
    const char *const plain = (strcmp(port, "arm64") == 0) ? "" : port;
    char path[PATH_MAX] = "";
    const ssize_t bytes = readlink("/proc/self/exe", path, sizeof(path) - 1u);
    char *const name = strrchr(path, '/');

    if ((bytes > 0) && (name != NULL)) {
        (void)snprintf(name, sizeof(path) - (size_t)(name - path), "/" TOOL_NAME "%s%s",
                       (*plain != '\0') ? "-" : "", plain);
        (void)execv(path, argv);
    }
    fprintf(stderr, TOOL_NAME ": the port %s has a tool of its own, %s: %s (make PORT=%s tools)\n", port,
            path, strerror(errno), port);
}

/* Reads to the end of the file, which may be a pipe. */
static bool descriptor_read(int fd, const char *name, struct blob *out)
{
    size_t room = 0;
    ssize_t got = 1;

    out->data = NULL;
    out->bytes = 0;
    while (got > 0) {
        if ((room - out->bytes) < READ_STEP) {
            room = (2u * room) + READ_STEP;
            out->data = realloc(out->data, room);
        }
        if ((out->data == NULL) || (room > BLOB_BYTES_MAX)) {
            fprintf(stderr, TOOL_NAME ": %s: too large\n", name);
            return false;
        }
        got = read(fd, out->data + out->bytes, room - out->bytes);
        if ((got < 0) && (errno == EINTR)) {
            got = 1;
        } else if (got > 0) {
            out->bytes += (size_t)got;
        } else {
            /* the end, or an error */
        }
    }
    if (got < 0) {
        fprintf(stderr, TOOL_NAME ": %s: %s\n", name, strerror(errno));
    }
    return got == 0;
}

bool file_read(const char *path, struct blob *out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = false;

    if (fd < 0) {
        fprintf(stderr, TOOL_NAME ": %s: %s\n", path, strerror(errno));
    } else {
        good = descriptor_read(fd, path, out);
        (void)close(fd);
    }
    return good;
}

static bool descriptor_write(int fd, const struct blob *blob)
{
    size_t done = 0;
    bool good = true;

    while ((done < blob->bytes) && good) {
        const ssize_t put = write(fd, blob->data + done, blob->bytes - done);

        good = (put > 0) || ((put < 0) && (errno == EINTR));
        done += (put > 0) ? (size_t)put : 0u;
    }
    return good;
}

bool file_write(const char *path, const struct blob *blob)
{
    const size_t length = strlen(path);
    char *const part = memory_get(length + sizeof(".XXXXXX"));
    bool good = false;
    int fd;

    memcpy(part, path, length);
    memcpy(part + length, ".XXXXXX", sizeof(".XXXXXX"));
    fd = mkstemp(part);
    if (fd >= 0) {
        const mode_t mask = umask(0);

        (void)umask(mask);
        good = descriptor_write(fd, blob) && (fchmod(fd, 0666 & ~mask) == 0);
        good = (close(fd) == 0) && good;
        good = good && (rename(part, path) == 0);
    }
    if (!good) {
        fprintf(stderr, TOOL_NAME ": %s: %s\n", path, strerror(errno));
        if (fd >= 0) {
            (void)unlink(part);
        }
    }
    free(part);
    return good;
}

/* Runs dtc on a source file; its own messages reach the user as they are. */
static bool source_compile(const char *path, const struct options *options, struct blob *out)
{
    const char *argument[10u + (2u * INCLUDE_DIRS_MAX)];
    size_t n = 0;
    posix_spawn_file_actions_t actions;
    int ends[2];
    int status = 0;
    int failed;
    pid_t child = 0;
    bool good;

    argument[n++] = "dtc";
    argument[n++] = "-q";
    argument[n++] = "-I";
    argument[n++] = "dts";
    argument[n++] = "-O";
    argument[n++] = "dtb";
    for (size_t i = 0; i < options->nr_include_dirs; i++) {
        argument[n++] = "-i";
        argument[n++] = options->include_dir[i];
    }
    argument[n++] = "--";
    argument[n++] = path;
    argument[n] = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        fprintf(stderr, TOOL_NAME ": %s\n", strerror(errno));
        return false;
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    failed = posix_spawnp(&child, "dtc", &actions, NULL, (char *const *)argument, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (failed != 0) {
        fprintf(stderr, TOOL_NAME ": dtc: %s (Debian package device-tree-compiler)\n", strerror(failed));
        (void)close(ends[0]);
        return false;
    }
    good = descriptor_read(ends[0], "dtc", out);
    (void)close(ends[0]);
    while ((waitpid(child, &status, 0) < 0) && (errno == EINTR)) {
        /* again */
    }
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0)) {
        fprintf(stderr, TOOL_NAME ": %s: dtc cannot compile it\n", path);
        good = false;
    }
    return good;
}

bool tree_read(const char *path, const struct options *options, struct blob *out)
{
    static const uint8_t magic[4] = { 0xD0, 0x0D, 0xFE, 0xED };
    const size_t length = strlen(path);
    const bool source = (length > 4u) && (strcmp(path + length - 4u, ".dts") == 0);
    bool good;

    if (source) {
        good = (access(path, R_OK) == 0);
        if (good) {
            good = source_compile(path, options, out);
        } else {
            fprintf(stderr, TOOL_NAME ": %s: %s\n", path, strerror(errno));
        }
    } else {
        good = file_read(path, out);
        if (good && ((out->bytes < sizeof(magic)) || (memcmp(out->data, magic, sizeof(magic)) != 0))) {
            fprintf(stderr, TOOL_NAME ": %s: neither a device-tree blob nor named *.dts\n", path);
            good = false;
        }
    }
    return good;
}

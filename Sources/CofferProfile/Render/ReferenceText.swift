// The prose of the reference; what a table can say is not said here.

enum ReferenceText {
    static let introduction = """
        # Profiles

        A configuration names the storages of a host and says which backend each is on. It is one YAML file, with as
        many *profiles* as you like: overlays of the same file, of which one is active. Switching from one to another
        needs no restart.

        The host takes the first of `--config`, `COFFER_CONFIG`, `./coffer.yaml`, `~/.config/coffer/coffer.yaml` and
        `/etc/coffer/coffer.yaml`. `coffer config check` says what is wrong with it, `coffer config show [STORAGE]`
        prints every setting in effect and where it came from.
        """

    static let example = """
        ## An example

        ```yaml
        profile: development

        defaults:
          backend: local
          root: ./data                 # a parent: gives ./data/uploads and ./data/reports

        storages:
          uploads: { accept: [IMAGES, pdf], max_size: 20MiB }
          reports: { read_only: true }

        profiles:
          development:
            storages:
              reports: { read_only: false }
          production:
            defaults: { root: /srv/coffer, writers: exclusive }
        ```

        With `production` active, `uploads` lies in `/srv/coffer/uploads`; with `development`, in `data/uploads` beside
        the file. The first storage, `uploads`, is the one that a key without a storage's name means.
        """

    static let precedence = """
        ## Precedence

        For every key the first of these wins:

        1. the storage in the active profile
        2. the storage
        3. its backend in the active profile (`backends.ID`)
        4. its backend
        5. `defaults` in the active profile
        6. `defaults`
        7. the default of the plugin, or of the host

        - **Parents.** A `root` or `url` that is inherited from a backend or from `defaults` is a parent: the storage's
          name is appended, with one slash between (`https://s3.example.com/` gives
          `https://s3.example.com/avatars/`). Set on the storage itself it is used as it is.
        - **Containers.** Where a backend has the option `container` and nobody sets it, it is the storage's name.
        - **Options go where they are known.** An option of a plugin in `defaults` or `backends.ID` reaches only the
          storages whose backend declares it. One that no known backend declares is an error.
        - **Inactive options.** When a profile changes the backend of a storage, options that only the other backend
          declares have no effect; `config show` marks them, and `config check` warns.
        - **Lists and values replace, mappings merge** when one profile lies over another or over the base.
        """

    static let fileTypes = """
        ### File types: `accept` and `deny`

        One word or a list of words: a named set in any case (`IMAGES`), a file name extension (`pdf` or `.pdf`, only the last one of a name), a
        MIME type (`text/csv`), or a family of them (`image/*`). `{all_except: [...]}` means everything else.
        `deny` wins over `accept`.
        """

    static let conditions = """
        ### What a storage promises: `writers`, `atomic`, `conditions`

        Create-if-absent, if-match and atomic replace each have a grade: `native` (the store enforces it), `emulated`
        (the host does, under a lock of the key) or `none`. The host emulates only with `writers: exclusive`, since
        its locks bind nobody else. A storage whose settings need a grade that it lacks is refused with the ways out.

        | setting | needs |
        | --- | --- |
        | `on_conflict: error` | create-if-absent, at the grade that the storage has |
        | `atomic: required` | atomic replace, native or emulated; `best_effort` asks for nothing |
        | `conditions: required` | create-if-absent and if-match, native or emulated |
        | `conditions: auto` | nothing: requests with conditions get what the storage has, and `unsupported` for the rest |
        | `conditions: none` | nothing: every request with a condition is `unsupported` |

        A store of unknown making has no conditions under `auto` and `required` until `coffer storages NAME --probe` has
        proven them with objects of its own. A probe also strikes what a store claims and does not keep.
        """

    static let socket = """
        `socket: /run/coffer/coffer.sock` is short for `socket: {path: /run/coffer/coffer.sock}`. Clients look in the
        same order everywhere: `--socket`, `COFFER_SOCKET`, `socket:`, `$XDG_RUNTIME_DIR/coffer/coffer.sock`,
        `/run/coffer/coffer.sock`.
        """

    static let access = """
        Each rule names exactly one of `user`, `uid`, `group` and `gid`. The host's own user and root may do everything,
        anybody else only what a rule permits.

        ```yaml
        access:
          - { group: staff, allow: [upload, download], storages: [documents] }
          - { uid: 33, allow: download, storages: [pictures], prefix: web/ }
        ```
        """

    static let plugins = """
        Installed plugins are found by their manifests and need no entry. `plugins:` names a library directly, in one of
        three ways:

        ```yaml
        plugins: [./build/libmine.so]
        plugins: [{ path: ./build/libmine.so, isolation: in_process }]
        plugins: { mine: ./build/libmine.so }      # the id that the library must have
        ```
        """

    static let values = """
        ## Values

        A value has the type that its key asks for, however it is quoted. What is not the right type is an error.

        | type | written | |
        | --- | --- | --- |
        | string | any text | quoted text is never `null` |
        | int | `8` | decimal; a leading zero is refused |
        | bool | `true`, `false`, `yes`, `no`, `on`, `off` | in any case |
        | size | `5MiB`, `5MB`, `1.5GiB`, `4096` | `kB MB GB TB PB` count in thousands, `KiB MiB GiB TiB PiB` in 1024; a number alone is bytes |
        | duration | `30s`, `250ms`, `5m`, `2h`, `1d`, `1h30m` | a number alone is refused, except `0` |
        | path | `./data`, `/srv`, `~/data` | a relative one starts at the folder of the file in which it is written |
        | url | `https://host/` | with its scheme |
        | list | `[a, b]`, or `a` alone | |
        | map | `{name: value}` | |
        """

    static let references = """
        ## References

        | written | stands for |
        | --- | --- |
        | `${env:NAME}` | the environment variable; an error if it is not set |
        | `${env:NAME:-default}` | the same, or `default` if it is not set or empty |
        | `${file:/path}` | the content of the file, without the line end at its end; a relative path starts at the folder of the YAML file |
        | `$$` | a dollar sign |

        References may stand inside longer text, and anywhere but in keys and in `backend`. Inside `{ }` and `[ ]` YAML
        wants quotes around them: `{ key: "${env:KEY}" }`. They are resolved only for the storages of the active
        profile, so that a laptop needs no production secrets; `coffer config check --all` resolves every profile.

        Options that a plugin declares secret are never shown: not by `config show`, not in an error, not in a log.
        """

    static let profiles = """
        ## Profiles

        - A profile is laid over the rest of the file, key by key. `extends: NAME` lays it over another profile first.
        - It may add storages. `name: null` under `storages` takes one away.
        - `key: null` takes away what the same place says beneath; where it says nothing, it keeps the key from being
          inherited.
        - `--profile` decides which is active, then `COFFER_PROFILE`, then `coffer profile use`, then `profile:`.
          With none of them, the base alone is in effect.

        ```yaml
        profiles:
          production: {}
          staging:
            extends: production
            backends: { s3: { endpoint: https://s3.staging.internal } }
          trial:
            defaults: { backend: memory, root: null }
            storages: { archive: null, scratch: {} }
        ```
        """

    static let files = """
        ## More than one file

        `include: base.yaml` (or a list) lays other files under this one: what this file says wins, and a later file of
        the list over an earlier one. Paths are relative to the file that names them. Anchors (`&name`), aliases
        (`*name`) and merge keys (`<<: *name`, `<<: [*a, *b]`) work inside a file. A key that is written twice in one
        mapping is an error, and so are tags (`!name`).
        """

    static let errors = """
        ## Errors

        Nothing is silently unused: an unknown key, backend, profile, storage or variable is an error with its place,
        what was expected, and the nearest known word.

        ```
        coffer.yaml:7:5: error: "on_conflict" takes error, replace or rename, not "renam"; did you mean "rename"?
        ```
        """
}

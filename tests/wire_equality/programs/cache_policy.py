from flyte_kit import Cache, CachePolicy, VersionParameters, task


class Fixed(CachePolicy):
    def get_version(self, salt: str, params: VersionParameters) -> str:
        return salt + "fixed"


@task(cache=Cache(policies=[Fixed(), Fixed()], salt="salt"))
def policy(x: int) -> int:
    return x

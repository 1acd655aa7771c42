"""Amazon's services, through boto3, which finds credentials, region and endpoint by itself."""
